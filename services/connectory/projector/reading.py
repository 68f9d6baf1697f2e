"""From records to row changes."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from connectory.domain.errors import Undecodable
from connectory.infra.log import Record
from connectory.projector.ports import Decoder
from connectory_projections.model import AnyProjection, RowChange, Sourced

RECORDS_IN_A_ROW = 200
"""How many records are decoded before other tasks of the process get a turn."""

log = logging.getLogger(__name__)


class RecordReader:
    """Reads the records of a projection's topic. `skipped` counts those that the projection goes on without."""

    def __init__(self, projection: AnyProjection, messages: Decoder) -> None:
        self._projection = projection
        self._decode = _decoder(projection, messages)
        # One batch at a time: if those of all partitions were decoded side by side, they would all come to an end at
        # once, and then wait for the store with nothing left to be decoded meanwhile.
        self._turn = asyncio.Lock()
        self.skipped = 0

    async def read(self, records: Sequence[Record]) -> list[Sequence[RowChange]]:
        """What each of the records changes, in order. One that cannot be decoded is reported and changes nothing."""
        done: list[Sequence[RowChange]] = []
        async with self._turn:
            for begin in range(0, len(records), RECORDS_IN_A_ROW):
                done.extend(map(self._changes, records[begin : begin + RECORDS_IN_A_ROW]))
                await asyncio.sleep(0)
        return done

    def skip(self, record: Record, why: str) -> None:
        """Count and report a record that the projection goes on without."""
        self.skipped += 1
        place = f"{record.topic}[{record.partition}]@{record.offset}"
        log.error("projection %s skips %s (%d skipped so far): %s", self._projection.name, place, self.skipped, why)

    def _changes(self, record: Record) -> Sequence[RowChange]:
        if record.value is None and self._projection.forget is not None:
            return self._projection.forget(record.key or b"")
        try:
            event = self._decode(record.value)
        except Undecodable as error:
            self.skip(record, error.message)
            return ()
        return self._projection.apply(Sourced(event, record.topic, record.partition, record.offset))


def _decoder(projection: AnyProjection, messages: Decoder) -> Callable[[bytes | None], object]:
    if projection.takes_fields:
        return messages.fields_reader(*projection.handles)
    return lambda value: messages.decode(value, *projection.handles)
