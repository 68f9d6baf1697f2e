"""The history of connectors as the gateway asks for it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from connectory.gateway.queries import Queries
from connectory_projections import connector_history
from connectory_projections.connector_history import EarlierDetails, HistoryPage
from connectory_projections.connectors_by_space import ConnectorView


class ConnectorHistory(Protocol):
    """What was changed, and how connectors were. Raises `Unavailable` when the read model cannot be reached."""

    async def page(self, space_id: str, connector_id: str, limit: int, cursor: str | None) -> HistoryPage:
        """Newest first, also of a deleted connector. Raises `Refused` for a cursor that no page has named."""
        ...

    async def as_of(self, space_id: str, connector_id: str, at: datetime) -> ConnectorView | None: ...

    async def all_as_of(self, space_id: str, at: datetime) -> Sequence[ConnectorView]:
        """All of the space at that moment, sorted by name."""
        ...

    async def at_version(self, space_id: str, connector_id: str, version: int) -> EarlierDetails | None:
        """Name, type and config in the newest version of this number that was no deletion."""
        ...


class QueriedHistory:
    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    async def page(self, space_id: str, connector_id: str, limit: int, cursor: str | None) -> HistoryPage:
        query = connector_history.newest(space_id, connector_id, limit=limit, cursor=cursor)
        return connector_history.page_of(await self._queries.all(query), limit)

    async def as_of(self, space_id: str, connector_id: str, at: datetime) -> ConnectorView | None:
        return await self._queries.one(connector_history.as_of(space_id, connector_id, at))

    async def all_as_of(self, space_id: str, at: datetime) -> Sequence[ConnectorView]:
        return await self._queries.all(connector_history.all_as_of(space_id, at))

    async def at_version(self, space_id: str, connector_id: str, version: int) -> EarlierDetails | None:
        return await self._queries.one(connector_history.at_version(space_id, connector_id, version))
