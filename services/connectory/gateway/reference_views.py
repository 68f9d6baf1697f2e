"""References to connectors as the gateway asks for them."""

from collections.abc import Mapping
from typing import Protocol

from connectory.gateway.queries import Queries
from connectory_projections import connector_references
from connectory_projections.connector_references import ReferencePage


class References(Protocol):
    """What uses connectors. Raises `Unavailable` when the read model cannot be reached."""

    async def page(self, space_id: str, connector_id: str | None, limit: int, cursor: str | None) -> ReferencePage:
        """Newest first; without a connector, of all of the space. Raises `Refused` for a cursor of no page."""
        ...

    async def counts(self, space_id: str) -> Mapping[str, int]:
        """By connector id; connectors that nothing uses are left out."""
        ...


class QueriedReferences:
    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    async def page(self, space_id: str, connector_id: str | None, limit: int, cursor: str | None) -> ReferencePage:
        query = connector_references.newest(space_id, connector_id, limit=limit, cursor=cursor)
        return connector_references.page_of(await self._queries.all(query), limit)

    async def counts(self, space_id: str) -> Mapping[str, int]:
        return dict(await self._queries.all(connector_references.counts(space_id)))
