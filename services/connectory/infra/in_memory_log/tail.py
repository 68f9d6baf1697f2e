"""Reading one partition."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from connectory.infra.in_memory_log.partition import Partition
from connectory.infra.in_memory_log.waiting import wait_for
from connectory.infra.log import Record

FETCH_LIMIT = 1000
"""Records a fetch returns at most."""


class InMemoryTail:
    def __init__(self, partition: Partition, offset: int, before: Callable[[str], Awaitable[None]]) -> None:
        self._partition = partition
        self._before = before
        self._position = max(offset, partition.beginning)
        self.changed = asyncio.Event()

    @property
    def position(self) -> int:
        return self._position

    async def end_offset(self) -> int:
        await self._before("end-offset")
        return self._partition.stable_end()

    async def high_watermark(self) -> int:
        await self._before("end-offset")
        return self._partition.next_offset

    async def fetch(self, timeout: float) -> Sequence[Record]:
        await self._before("fetch")
        records, moved = self._read()
        if not moved and await wait_for(self.changed, timeout):
            records, _ = self._read()
        return records

    def _read(self) -> tuple[Sequence[Record], bool]:
        """The next records, and whether the position has moved."""
        self.changed.clear()
        records, position = self._partition.read(self._position, FETCH_LIMIT)
        moved, self._position = position != self._position, position
        return records, moved
