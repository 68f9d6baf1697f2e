"""How far projections have come, and waiting for them: what lets a client read its own writes."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Protocol, TypeAlias

Place: TypeAlias = tuple[str, int]
"""A projection and a partition of its topic."""


class ProgressWatch(Protocol):
    """What the gateway asks after a change."""

    async def wait_for(self, projection: str, partition: int, offset: int, timeout: float) -> bool:
        """Wait until the projection has applied the record at `offset`; False after `timeout` seconds."""
        ...


class Progress:
    """The next offset of each projection and partition, as last heard, and those who wait for a later one."""

    def __init__(self) -> None:
        self._next_offsets: dict[Place, int] = {}
        self._waiting: defaultdict[Place, set[tuple[int, asyncio.Future[None]]]] = defaultdict(set)

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return sum(map(len, self._waiting.values()))

    def reached(self, projection: str, partition: int, next_offset: int) -> None:
        place = projection, partition
        self._next_offsets[place] = next_offset
        for offset, applied in self._waiting.get(place, ()):
            if offset < next_offset and not applied.done():
                applied.set_result(None)

    def replace(self, next_offsets: Mapping[Place, int]) -> None:
        """Take what is true now for all, lower than before or not: a database may lose its last commits in a crash."""
        self._next_offsets.clear()
        for (projection, partition), next_offset in next_offsets.items():
            self.reached(projection, partition, next_offset)

    async def wait_for(self, projection: str, partition: int, offset: int, timeout: float) -> bool:
        place = projection, partition
        if self._next_offsets.get(place, 0) > offset:
            return True
        applied: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[place].add((offset, applied))
        try:
            async with asyncio.timeout(timeout):
                await applied
        except TimeoutError:
            return False
        finally:
            self._waiting[place].discard((offset, applied))
        return True
