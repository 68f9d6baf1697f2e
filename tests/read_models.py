"""The gateway's read models over the in-memory rows: what the SQL of the queries says, in Python."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from connectory.domain.errors import Unavailable
from connectory.domain.execution import Outcome
from connectory.gateway import ReadModels
from connectory.infra.in_memory_rows import InMemoryRowStore
from connectory_projections import connectors_by_space, dead_letters, event_log, spaces
from connectory_projections.connectors_by_space import ConnectorView
from connectory_projections.dead_letters import DeadLetterFilter, DeadLetterPage, KeptLetter, Place, Scope
from connectory_projections.event_log import EVENT_LOG, EventLogFilter, EventLogPage
from connectory_projections.model import Row
from connectory_projections.spaces import SpaceView
from tests.event_documents import InMemoryEventDocuments
from tests.history_read_model import InMemoryHistory, InMemoryReferences
from tests.projection_events import changes_of

EQUAL = ("connector_id", "connector_type_id", "action", "outcome", "final", "request_id", "execution_id")


class InMemoryReadModels:
    """`away` makes every query fail as it does without a database; connectors that are `unseen` lag behind."""

    def __init__(self, store: InMemoryRowStore) -> None:
        self._store = store
        self.away = False
        self.unseen: set[str] = set()

    @property
    def for_gateway(self) -> ReadModels:
        letters, known = InMemoryDeadLetters(self._store, self.reach), InMemorySpaces(self._store, self.reach)
        documents = InMemoryEventDocuments(self._store, self.reach)
        history = InMemoryHistory(self._store, self.reach)
        references = InMemoryReferences(self._store, self.reach)
        return ReadModels(self, self, letters, known, self._store.progress, self.reach, documents, history, references)

    async def add_outcomes(self, *outcomes: Outcome) -> None:
        """As the projector would, in place of it."""
        begun = await self._store.next_offset(EVENT_LOG, 0)
        changes, end = changes_of(EVENT_LOG, outcomes), begun + len(outcomes)
        await self._store.apply(EVENT_LOG, 0, changes, expected=begun, next_offset=end)

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
        views = [view for view in await self._views() if view.space_id == space_id]
        return sorted(views, key=lambda view: (view.name_sort_key, view.created_at, view.connector_id))

    async def by_id(self, space_id: str, after: str, limit: int) -> Sequence[ConnectorView]:
        views = [view for view in await self.in_space(space_id) if view.connector_id > after]
        return sorted(views, key=lambda view: view.connector_id)[:limit]

    async def with_ids(self, connector_ids: Collection[str]) -> Sequence[ConnectorView]:
        return [view for view in await self._views() if view.connector_id in connector_ids]

    async def with_origins(self, space_id: str, origin_ids: Collection[str]) -> Sequence[ConnectorView]:
        views = [view for view in await self._views() if view.space_id == space_id and view.origin_id in origin_ids]
        return sorted(views, key=lambda view: (view.created_at, view.connector_id))

    async def _views(self) -> Sequence[ConnectorView]:
        await self.reach()
        read = connectors_by_space.in_space("").read
        rows = [row for row in self._store.rows(connectors_by_space.TABLE.name) if row["name"] is not None]
        return [view for view in map(read, rows) if view.connector_id not in self.unseen]

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


class InMemoryDeadLetters:
    """The part of the read models that is about dead letters."""

    def __init__(self, store: InMemoryRowStore, reach: Callable[[], Awaitable[None]]) -> None:
        self._store = store
        self._reach = reach

    async def page(self, scope: Scope, where: DeadLetterFilter, limit: int, cursor: str | None) -> DeadLetterPage:
        query = dead_letters.newest(scope, where, limit=limit, cursor=cursor)
        rows = await self._rows(scope, where)
        listed = [query.read(row) for row in reversed(rows)]
        after = next((number for number, each in enumerate(listed, 1) if each.cursor == cursor), 0)
        return dead_letters.page_of(listed[after : after + limit + 1], limit)

    async def oldest_open(
        self, scope: Scope, where: DeadLetterFilter, *, repeatable: bool, after: KeptLetter | None, limit: int
    ) -> Sequence[KeptLetter]:
        rows = await self._rows(scope, replace(where, status="open"))
        found = [_kept(row) for row in rows if (row["request_id"] and row["value"]) or not repeatable]
        return [each for each in found if after is None or _time(each) > _time(after)][:limit]

    async def count_open(self, scope: Scope, where: DeadLetterFilter, *, repeatable: bool) -> int:
        return len(await self.oldest_open(scope, where, repeatable=repeatable, after=None, limit=1_000_000))

    async def at_places(self, scope: Scope, places: Sequence[Place]) -> Sequence[KeptLetter]:
        found = [_kept(row) for row in await self._rows(scope, DeadLetterFilter(status=None))]
        return [each for each in found if _time(each)[1:] in places]

    async def _rows(self, scope: Scope, where: DeadLetterFilter) -> list[Row]:
        """Oldest first."""
        await self._reach()
        spaces = {scope.space_id, *([None] if scope.with_spaceless else [])}
        rows = [row for row in self._store.rows(dead_letters.TABLE.name) if row["reason"] is not None]
        rows = [row for row in rows if scope.space_id is None or row["space_id"] in spaces]
        rows = [{**row, "value_bytes": _length(row["value"])} for row in rows]
        return sorted((row for row in rows if _is_wanted(row, where)), key=lambda row: _time(_kept(row)))


def _kept(row: Row) -> KeptLetter:
    return dead_letters.at_places(Scope(), []).read(row)


def _time(kept: KeptLetter) -> tuple[datetime, str, int, int]:
    letter = kept.letter
    return letter.at, letter.topic, letter.partition, letter.offset


def _length(value: object) -> int | None:
    return len(value) if isinstance(value, bytes) else None


def _is_wanted(row: Row, where: DeadLetterFilter) -> bool:
    at = row["at"]
    assert isinstance(at, datetime)
    return (
        all(getattr(where, name) in (None, row[name]) for name in ("connector_id", "reason", "status"))
        and (where.from_ is None or at >= where.from_)
        and (where.to is None or at < where.to)
    )


class InMemorySpaces:
    """The part of the read models that is about spaces."""

    def __init__(self, store: InMemoryRowStore, reach: Callable[[], Awaitable[None]]) -> None:
        self._store = store
        self._reach = reach

    async def get(self, space_id: str) -> SpaceView | None:
        return next((view for view in await self.everything() if view.space_id == space_id), None)

    async def everything(self) -> Sequence[SpaceView]:
        await self._reach()
        rows = [
            row for row in self._store.rows(spaces.TABLE.name) if row["name"] is not None and row["deletion_id"] is None
        ]
        views = map(spaces.everything().read, rows)
        return sorted(views, key=lambda view: (view.details.name, view.space_id))

    async def ids(self) -> Sequence[str]:
        return [view.space_id for view in await self.everything()]

    async def deletion(self, space_id: str) -> str | None:
        await self._reach()
        row = self._store.tables[spaces.TABLE.name].get((space_id,))
        return spaces.deletion(space_id).read(row) if row and row["deletion_id"] is not None else None
