"""The read models as the gateway asks them, and the way to ask them by queries."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from connectory.gateway.event_documents.reading import EventDocuments, QueriedEventDocuments
from connectory.gateway.gathering import Gathering
from connectory.gateway.health import Probe
from connectory.gateway.history import ConnectorHistory, QueriedHistory
from connectory.gateway.queries import Queries
from connectory.gateway.reference_views import QueriedReferences, References
from connectory.infra.progress import ProgressWatch
from connectory_projections import connectors_by_space, dead_letters, event_log, spaces
from connectory_projections.connectors_by_space import ConnectorView
from connectory_projections.dead_letters import DeadLetterFilter, DeadLetterPage, KeptLetter, Place, Scope
from connectory_projections.event_log import EventLogFilter, EventLogPage
from connectory_projections.model import Query
from connectory_projections.spaces import SpaceView

_PING = Query("SELECT 1", (), lambda row: row)


class ConnectorViews(Protocol):
    """The connectors as readers see them. Raises `Unavailable` when the read model cannot be reached."""

    async def get(self, space_id: str, connector_id: str) -> ConnectorView | None: ...

    async def in_space(self, space_id: str) -> Sequence[ConnectorView]:
        """All of the space, sorted by name."""
        ...

    async def by_id(self, space_id: str, after: str, limit: int) -> Sequence[ConnectorView]:
        """Those of the space in the order of their ids, from the one after `after` on; the empty id is before all."""
        ...

    async def with_ids(self, connector_ids: Collection[str]) -> Sequence[ConnectorView]:
        """Those that there are, whatever their spaces: an id is taken in all of them."""
        ...

    async def with_origins(self, space_id: str, origin_ids: Collection[str]) -> Sequence[ConnectorView]:
        """Those of the space that were imported from these ids and have others here, oldest first."""
        ...


class EventLog(Protocol):
    """The queryable log of outcomes."""

    async def page(self, space_id: str, where: EventLogFilter, limit: int, cursor: str | None) -> EventLogPage:
        """Newest first. Raises `Refused` for a cursor that no page has named, and `Unavailable`."""
        ...


class DeadLetters(Protocol):
    """The requests that were given up. Raises `Unavailable` when the read model cannot be reached."""

    async def page(self, scope: Scope, where: DeadLetterFilter, limit: int, cursor: str | None) -> DeadLetterPage:
        """Newest first, without the records. Raises `Refused` for a cursor that no page has named."""
        ...

    async def oldest_open(
        self, scope: Scope, where: DeadLetterFilter, *, repeatable: bool, after: KeptLetter | None, limit: int
    ) -> Sequence[KeptLetter]:
        """Oldest first, from the one after `after` on; `repeatable` leaves out what holds no request."""
        ...

    async def count_open(self, scope: Scope, where: DeadLetterFilter, *, repeatable: bool) -> int:
        """How many `oldest_open` goes through."""
        ...

    async def at_places(self, scope: Scope, places: Sequence[Place]) -> Sequence[KeptLetter]:
        """Those that there are, oldest first, settled ones included."""
        ...


class SpaceViews(Protocol):
    """The spaces of which somebody has set anything. Raises `Unavailable` when the read model cannot be reached."""

    async def get(self, space_id: str) -> SpaceView | None: ...

    async def everything(self) -> Sequence[SpaceView]:
        """All, by name in the order of code points, then by id."""
        ...

    async def ids(self) -> Sequence[str]: ...

    async def deletion(self, space_id: str) -> str | None:
        """The command that began the deletion of the space, while that is under way; it is none of the others then."""
        ...


@dataclass(frozen=True, slots=True)
class ReadModels:
    """`progress` tells how far they are, `reach` whether they can be reached at all."""

    connectors: ConnectorViews
    event_log: EventLog
    dead_letters: DeadLetters
    spaces: SpaceViews
    progress: ProgressWatch
    reach: Probe
    documents: EventDocuments
    history: ConnectorHistory
    references: References


def queried(queries: Queries, progress: ProgressWatch) -> ReadModels:
    """The read models by queries on the projections' tables."""
    connectors, log, letters = QueriedConnectorViews(queries), QueriedEventLog(queries), QueriedDeadLetters(queries)
    return ReadModels(
        connectors,
        log,
        letters,
        QueriedSpaces(queries),
        progress,
        lambda: queries.one(_PING),
        QueriedEventDocuments(queries),
        QueriedHistory(queries),
        QueriedReferences(queries),
    )


class QueriedConnectorViews:
    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._gathering = Gathering(self._by_id)

    async def get(self, space_id: str, connector_id: str) -> ConnectorView | None:
        view = await self._gathering.get(connector_id)
        return view if view is not None and view.space_id == space_id else None

    async def _by_id(self, connector_ids: Collection[str]) -> Mapping[str, ConnectorView]:
        return {view.connector_id: view for view in await self.with_ids(connector_ids)}

    async def in_space(self, space_id: str) -> Sequence[ConnectorView]:
        return await self._queries.all(connectors_by_space.in_space(space_id))

    async def by_id(self, space_id: str, after: str, limit: int) -> Sequence[ConnectorView]:
        return await self._queries.all(connectors_by_space.by_id(space_id, after, limit))

    async def with_ids(self, connector_ids: Collection[str]) -> Sequence[ConnectorView]:
        return await self._queries.all(connectors_by_space.with_ids(connector_ids))

    async def with_origins(self, space_id: str, origin_ids: Collection[str]) -> Sequence[ConnectorView]:
        return await self._queries.all(connectors_by_space.with_origins(space_id, origin_ids))


class QueriedEventLog:
    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    async def page(self, space_id: str, where: EventLogFilter, limit: int, cursor: str | None) -> EventLogPage:
        entries = await self._queries.all(event_log.page(space_id, where, limit=limit, cursor=cursor))
        return event_log.page_of(entries, limit)


class QueriedDeadLetters:
    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    async def page(self, scope: Scope, where: DeadLetterFilter, limit: int, cursor: str | None) -> DeadLetterPage:
        listed = await self._queries.all(dead_letters.newest(scope, where, limit=limit, cursor=cursor))
        return dead_letters.page_of(listed, limit)

    async def oldest_open(
        self, scope: Scope, where: DeadLetterFilter, *, repeatable: bool, after: KeptLetter | None, limit: int
    ) -> Sequence[KeptLetter]:
        query = dead_letters.oldest_open(scope, where, repeatable=repeatable, after=after, limit=limit)
        return await self._queries.all(query)

    async def count_open(self, scope: Scope, where: DeadLetterFilter, *, repeatable: bool) -> int:
        return await self._queries.one(dead_letters.count_open(scope, where, repeatable=repeatable)) or 0

    async def at_places(self, scope: Scope, places: Sequence[Place]) -> Sequence[KeptLetter]:
        return await self._queries.all(dead_letters.at_places(scope, places))


class QueriedSpaces:
    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    async def get(self, space_id: str) -> SpaceView | None:
        return await self._queries.one(spaces.get(space_id))

    async def everything(self) -> Sequence[SpaceView]:
        return await self._queries.all(spaces.everything())

    async def ids(self) -> Sequence[str]:
        return await self._queries.all(spaces.ids())

    async def deletion(self, space_id: str) -> str | None:
        return await self._queries.one(spaces.deletion(space_id))
