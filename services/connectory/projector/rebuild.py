"""Rebuilds a projection from the log while it is being read and written.

A second copy is filled beside the live tables, compared with them at the same offsets, and takes their place. A
difference is reported and does not stop the swap: the rows that this program makes of the log are the right ones, and
putting them in place is what a rebuild is for.

The log may be shorter than the table. Rows whose records have left the log are carried over from the live table where
rows expire as records do. Another projection cannot be rebuilt from half of its events: that is refused.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

from connectory.domain.errors import Refused, Unavailable
from connectory.infra.clock import Clock, utc_now
from connectory.infra.log import Log
from connectory.infra.postgres import Database, Digest, PostgresRowStore, SecondCopy, migrate, second_copy
from connectory.projector.filling import PartitionFiller
from connectory.projector.ports import Decoder
from connectory.projector.reading import RecordReader
from connectory_projections.model import AnyProjection

SLACK = timedelta(days=1)
"""How far the clocks of the log and of the rows may differ; also how long a rebuild may last beside the retention."""

SWAP_ATTEMPTS = 20
SWAP_WAIT_SECONDS = 1.0

Stage: TypeAlias = Literal["filling", "comparing", "swapping"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RebuildProgress:
    """`done` of `total` offsets of the log have been filled into the copy."""

    stage: Stage
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class TableComparison:
    """What the live table and the rebuilt one held at the same offsets."""

    table: str
    live: Digest
    rebuilt: Digest

    @property
    def is_same(self) -> bool:
        return self.live == self.rebuilt


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildReport:
    """`events` were read from the log, `skipped` of them could not be decoded; `carried_over` rows had left the log."""

    projection: str
    events: int
    skipped: int
    carried_over: int
    comparisons: Sequence[TableComparison]

    @property
    def is_same(self) -> bool:
        return all(comparison.is_same for comparison in self.comparisons)


async def rebuild(
    projection: AnyProjection,
    source: Log,
    messages: Decoder,
    database: Database,
    *,
    retention: timedelta,
    now: Clock = utc_now,
    progress: Callable[[RebuildProgress], None] = lambda _: None,
) -> RebuildReport:
    """Rebuild the projection up to where its live tables are, and put the result in their place.

    Raises `Refused` (`rebuild-running`, `log-incomplete`), or `Unavailable` when the broker or the database is away;
    the live tables are then as they were.
    """
    await migrate(database, [projection])
    partitions = range(await source.partition_count(projection.topic))
    beginnings = [await source.beginning_offset(projection.topic, partition) for partition in partitions]
    is_complete = not any(beginnings)
    if not is_complete and not projection.expires:
        text = f"The log no longer holds all events of projection {projection.name}; its tables stay as they are"
        raise Refused("log-incomplete", text)
    await _have_offsets(PostgresRowStore(database, retention=retention, now=now), projection, partitions)
    async with (
        second_copy(database, projection) as copy,
        _opened(projection, source, messages, copy, partitions, retention, now, progress) as run,
    ):
        await run.fill("filling", await copy.live_offsets())
        carried_over = 0 if is_complete else await copy.carry_over(run.complete_since() or now())
        comparisons = await run.compare(now() - retention)
        await run.swap()
    return RebuildReport(
        projection=projection.name,
        events=run.events,
        skipped=run.reader.skipped,
        carried_over=carried_over,
        comparisons=comparisons,
    )


async def _have_offsets(store: PostgresRowStore, projection: AnyProjection, partitions: Sequence[int]) -> None:
    """A row for each partition: the swap locks these rows, and a partition without one would go its own way."""
    for partition in partitions:
        await store.next_offset(projection, partition)


@asynccontextmanager
async def _opened(
    projection: AnyProjection,
    source: Log,
    messages: Decoder,
    copy: SecondCopy,
    partitions: Sequence[int],
    retention: timedelta,
    now: Clock,
    progress: Callable[[RebuildProgress], None],
) -> AsyncIterator["_Rebuild"]:
    """The log's partitions stay open to the end: the live runner waits for the last of it."""
    store = PostgresRowStore(copy.database, retention=retention, now=now, announces=False)
    await _have_offsets(store, projection, partitions)
    reader = RecordReader(projection, messages)
    async with AsyncExitStack() as stack:
        tails = [await stack.enter_async_context(source.tail(projection.topic, p, 0)) for p in partitions]
        fillers = [PartitionFiller(tail, store, reader, projection, p) for p, tail in enumerate(tails)]
        yield _Rebuild(projection, copy, store, reader, fillers, progress)


class _Rebuild:
    def __init__(
        self,
        projection: AnyProjection,
        copy: SecondCopy,
        store: PostgresRowStore,
        reader: RecordReader,
        fillers: Sequence[PartitionFiller],
        progress: Callable[[RebuildProgress], None],
    ) -> None:
        self._projection = projection
        self._copy = copy
        self._store = store
        self._fillers = fillers
        self._progress = progress
        self.reader = reader
        self.events = 0

    async def fill(self, stage: Stage, until: Mapping[int, int]) -> None:
        """Bring every partition of the copy to these offsets."""
        total = sum(until.values())
        async with asyncio.TaskGroup() as tasks:
            for partition, filler in enumerate(self._fillers):
                tasks.create_task(self._fill_one(filler, until[partition], stage, total))

    def complete_since(self) -> datetime | None:
        """The moment from which on the log surely holds everything; None when some partition holds nothing."""
        beginnings = [filler.begins_at for filler in self._fillers]
        latest = max((begin for begin in beginnings if begin is not None), default=None)
        if latest is None or None in beginnings:
            return None
        return datetime.fromtimestamp(latest / 1000, UTC) + SLACK

    async def compare(self, expired: datetime) -> Sequence[TableComparison]:
        """Compare at the same offsets. Days that are about to expire may be gone from one copy and not the other."""
        await self._store.drop_expired(self._projection)
        offsets, live = await self._copy.live_digests(expired + SLACK)
        await self.fill("comparing", offsets)
        await self._copy.analyze()
        rebuilt = await self._copy.digests(expired + SLACK)
        return [TableComparison(table.name, live[table.name], rebuilt[table.name]) for table in self._projection.tables]

    async def swap(self) -> None:
        """Readers may hold the live tables: let them pass, and try again."""
        for _ in range(SWAP_ATTEMPTS - 1):
            try:
                await self._swap_once()
            except Unavailable as error:
                log.info("the tables of %s are in use, trying again: %s", self._projection.name, error)
                await asyncio.sleep(SWAP_WAIT_SECONDS)
            else:
                return
        await self._swap_once()

    async def _swap_once(self) -> None:
        """Most of the catching up is done before the live runner has to wait for the rest."""
        await self.fill("swapping", await self._copy.live_offsets())
        await self._copy.swap(lambda offsets: self.fill("swapping", offsets))

    async def _fill_one(self, filler: PartitionFiller, until: int, stage: Stage, total: int) -> None:
        async for records in filler.fill(until):
            self.events += records
            self._progress(RebuildProgress(stage, sum(filler.offset for filler in self._fillers), total))
