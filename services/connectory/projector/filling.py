"""Fills a second copy of a projection from one partition of the log."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from connectory.domain.errors import Unavailable
from connectory.infra.log import STALLED_SECONDS, Record, Tail
from connectory.projector.ports import RowStore
from connectory.projector.reading import RecordReader
from connectory.projector.storing import store_records
from connectory_projections.model import AnyProjection, RowChange

FETCH_SECONDS = 1.0


class PartitionFiller:
    """`offset` is the next one to be applied; `begins_at` the time of the first record (Unix milliseconds), if any."""

    def __init__(
        self, tail: Tail, store: RowStore, reader: RecordReader, projection: AnyProjection, partition: int
    ) -> None:
        self._tail = tail
        self._store = store
        self._reader = reader
        self._projection = projection
        self._partition = partition
        self._read_ahead: Sequence[Record] = ()
        self.offset = 0
        self.begins_at: int | None = None

    async def fill(self, until: int) -> AsyncIterator[int]:
        """Apply what comes before offset `until`; yields the number of records after each batch.

        Raises `Unavailable` when the log does not deliver them, or when the copy has come further already.
        """
        if until < self.offset:
            text = f"Partition {self._partition} of {self._projection.topic} went back from {self.offset} to {until}"
            raise Unavailable(f"{text}: the database has lost its last commits. Rebuild once more.")
        while self.offset < until:
            yield await self._fill_some(until)

    async def _fill_some(self, until: int) -> int:
        records = self._read_ahead or await self._fetch(until)
        wanted = [record for record in records if record.offset < until]
        self._read_ahead = records[len(wanted) :]
        at_the_end = bool(self._read_ahead) or self._tail.position >= until
        next_offset = until if at_the_end else wanted[-1].offset + 1
        read = await self._reader.read(wanted)
        await store_records(wanted, read, self.offset, next_offset, apply=self._apply, skip=self._reader.skip)
        return len(wanted)

    async def _fetch(self, until: int) -> Sequence[Record]:
        """The next records; none when only control records are left before `until`."""
        try:
            async with asyncio.timeout(STALLED_SECONDS):
                while self._tail.position < until:
                    if records := await self._tail.fetch(FETCH_SECONDS):
                        self.begins_at = self.begins_at or records[0].timestamp_ms
                        return records
        except TimeoutError as error:
            text = f"{self._projection.topic}[{self._partition}] stays at offset {self._tail.position}"
            raise Unavailable(f"{text}, though {until} is known to have been read from it") from error
        return ()

    async def _apply(self, changes: Sequence[RowChange], expected: int, next_offset: int) -> None:
        await self._store.apply(self._projection, self._partition, changes, expected=expected, next_offset=next_offset)
        self.offset = next_offset
