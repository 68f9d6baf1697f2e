"""The gateway's read models over the in-memory rows: what the SQL of the queries says, in Python."""

from collections.abc import Sequence
from datetime import datetime

from connectory.domain.errors import Unavailable
from connectory.gateway import ReadModels
from connectory.infra.in_memory_rows import InMemoryRowStore
from connectory_projections import connectors_by_space, event_log
from connectory_projections.connectors_by_space import ConnectorView
from connectory_projections.event_log import EventLogFilter, EventLogPage
from connectory_projections.model import Row

EQUAL = ("connector_id", "connector_type_id", "action", "outcome", "request_id", "execution_id")


class InMemoryReadModels:
    """`away` makes every query fail as it does without a database."""

    def __init__(self, store: InMemoryRowStore) -> None:
        self._store = store
        self.away = False

    @property
    def for_gateway(self) -> ReadModels:
        return ReadModels(self, self, self._store.progress, self.reach)

    def execution_ids(self) -> set[object]:
        """Of the entries of the event log whose end is known."""
        rows = self._store.rows(event_log.TABLE.name)
        return {row["execution_id"] for row in rows if row["final"]}

    async def reach(self) -> None:
        if self.away:
            raise Unavailable("The database cannot be reached.")

    async def get(self, space_id: str, connector_id: str) -> ConnectorView | None:
        return next((view for view in await self.in_space(space_id) if view.connector_id == connector_id), None)

    async def in_space(self, space_id: str) -> Sequence[ConnectorView]:
        await self.reach()
        read = connectors_by_space.in_space(space_id).read
        views = [read(row) for row in self._store.rows(connectors_by_space.TABLE.name) if row["space_id"] == space_id]
        return sorted(views, key=lambda view: (view.name_sort_key, view.created_at, view.connector_id))

    async def page(self, space_id: str, where: EventLogFilter, limit: int, cursor: str | None) -> EventLogPage:
        await self.reach()
        query = event_log.page(space_id, where, limit=limit, cursor=cursor)
        rows = [row for row in self._store.rows(event_log.TABLE.name) if row["space_id"] == space_id]
        rows = [row for row in rows if _meets(row, where)]
        entries = [query.read(row) for row in sorted(rows, key=_place, reverse=True)]
        after = next((number for number, entry in enumerate(entries, 1) if entry.cursor == cursor), 0)
        return event_log.page_of(entries[after : after + limit + 1], limit)


def _place(row: Row) -> tuple[str, ...]:
    return str(row["at"]), str(row["execution_id"]), str(row["action"])


def _meets(row: Row, where: EventLogFilter) -> bool:
    at = row["at"]
    assert isinstance(at, datetime)
    return (
        all(getattr(where, name) in (None, row[name]) for name in EQUAL)
        and (where.from_ is None or at >= where.from_)
        and (where.to is None or at < where.to)
        and (where.q or "").lower() in str(row["message"]).lower()
    )
