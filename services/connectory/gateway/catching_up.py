"""Waiting until read models show whatever was committed before now, for who must not miss any of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from connectory.domain.errors import Unavailable
from connectory.infra.log import END_OF_TIME_MS, Log, Record, read_all
from connectory.infra.progress import ProgressWatch
from connectory_projections.model import AnyProjection

FIRST_LOOK: Final = 64
"""Offsets that are read back from the end for the last record: markers of transactions take offsets too."""

LOOK_FURTHER: Final = 16
LONGEST_WAIT: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class CatchingUp:
    """`wait` is how long one projection may take for one partition."""

    log: Log
    progress: ProgressWatch
    wait: timedelta = LONGEST_WAIT

    async def everywhere(self, projection: AnyProjection) -> None:
        """Wait for all partitions. Raises `Unavailable` when it takes too long."""
        partitions = range(await self.log.partition_count(projection.topic))
        await asyncio.gather(*(self.at(projection, partition) for partition in partitions))

    async def at(self, projection: AnyProjection, partition: int) -> None:
        """Wait for one partition. Raises `Unavailable` when it takes too long."""
        last = await self._last_record(projection.topic, partition)
        if last is not None:
            await self.until(projection, partition, last.offset)

    async def until(self, projection: AnyProjection, partition: int, offset: int) -> None:
        """Wait until the record at that offset is applied. Raises `Unavailable` when it takes too long."""
        seconds = self.wait.total_seconds()
        if not await self.progress.wait_for(projection.name, partition, offset, seconds):
            text = f"the projection {projection.name} has not applied {projection.topic}[{partition}]@{offset}"
            raise Unavailable(f"{text} within {seconds:.0f} seconds: is a projector running?")

    async def _last_record(self, topic: str, partition: int) -> Record | None:
        end = await self.log.offset_at(topic, partition, END_OF_TIME_MS)
        look = FIRST_LOOK
        while True:
            start = max(0, end - look)
            records = await self._from(topic, partition, start)
            if records or start == 0:
                return records[-1] if records else None
            look *= LOOK_FURTHER

    async def _from(self, topic: str, partition: int, start: int) -> Sequence[Record]:
        seconds = self.wait.total_seconds()
        try:
            async with self.log.tail(topic, partition, start) as tail:
                return await read_all(tail, seconds, settled=True)
        except TimeoutError:
            raise Unavailable(f"the end of {topic}[{partition}] was not read within {seconds:.0f} seconds") from None
