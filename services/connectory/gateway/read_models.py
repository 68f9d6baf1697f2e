"""The read models as the gateway asks them, over whatever runs the projections' queries."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from connectory_projections import connectors_by_space, event_log
from connectory_projections.connectors_by_space import ConnectorView
from connectory_projections.event_log import EventLogFilter, EventLogPage
from connectory_projections.model import Query

T = TypeVar("T")


class Queries(Protocol):
    """What runs queries: `connectory.infra.postgres.Database`. Raises `Unavailable` when it cannot be reached."""

    async def one(self, query: Query[T]) -> T | None: ...

    async def all(self, query: Query[T]) -> Sequence[T]: ...


class EventLog(Protocol):
    """The queryable log of outcomes."""

    async def page(self, space_id: str, where: EventLogFilter, limit: int, cursor: str | None) -> EventLogPage:
        """Newest first. Raises `Refused` for a cursor that is none, `Unavailable`."""
        ...


class QueriedConnectorViews:
    """`ConnectorViews` by queries."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    async def get(self, space_id: str, connector_id: str) -> ConnectorView | None:
        return await self._queries.one(connectors_by_space.get(space_id, connector_id))

    async def in_space(self, space_id: str) -> Sequence[ConnectorView]:
        return await self._queries.all(connectors_by_space.in_space(space_id))


class QueriedEventLog:
    """`EventLog` by queries."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    async def page(self, space_id: str, where: EventLogFilter, limit: int, cursor: str | None) -> EventLogPage:
        entries = await self._queries.all(event_log.page(space_id, where, limit=limit, cursor=cursor))
        return event_log.page_of(entries, limit)
