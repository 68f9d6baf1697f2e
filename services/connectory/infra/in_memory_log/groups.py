"""Groups: members, who owns which partition numbers, and the group's progress.

A rebalance goes as with a broker: every member gives up all it has, and when the last one has, the numbers are dealt
out anew in ranges.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack

from connectory.domain.errors import Fenced
from connectory.infra.in_memory_log.partition import Partition
from connectory.infra.in_memory_log.waiting import wait_for
from connectory.infra.log import Committed, Record
from connectory.infra.serving import Serving

Before = Callable[[str], Awaitable[None]]


class Group:
    """`epoch` is the number of changes of the membership so far."""

    def __init__(self) -> None:
        self.epoch = 0
        self.progress: dict[tuple[str, int], Committed] = {}
        self._members: list[Member] = []
        self._changed = asyncio.Event()

    def add(self, member: "Member") -> None:
        self._members.append(member)
        self._membership_changed()

    def remove(self, member: "Member") -> None:
        self._members.remove(member)
        self._membership_changed()

    async def settle(self, member: "Member", partitions: int) -> tuple[int, range]:
        """Wait until every member has given up what it had; returns the epoch and the member's partition numbers."""
        while True:
            member.settled_in = self.epoch
            if all(other.settled_in == self.epoch for other in self._members):
                self._notify()
                return self.epoch, _range_of(self._members.index(member), len(self._members), partitions)
            await self._changed.wait()

    async def outdated(self, epoch: int) -> None:
        """Wait until the membership has changed since `epoch`."""
        while self.epoch == epoch:
            await self._changed.wait()

    def _membership_changed(self) -> None:
        self.epoch += 1
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class Member:
    """One call of `join`."""

    def __init__(
        self, group: Group, serving: Serving, topics: Mapping[str, Sequence[Partition]], before: Before
    ) -> None:
        self.settled_in = -1
        self._group = group
        self._serving = serving
        self._topics = topics
        self._before = before

    async def run(self) -> None:
        self._group.add(self)
        try:
            while True:
                await self._serve_one_epoch()
        finally:
            await self._serving.end()
            self._group.remove(self)

    async def _serve_one_epoch(self) -> None:
        partitions = min(len(partitions) for partitions in self._topics.values())
        epoch, indexes = await self._group.settle(self, partitions)
        with ExitStack() as watches:
            self._serving.start([self._share(index, watches) for index in indexes])
            await _first(self._serving.failure(), self._group.outdated(epoch))
            await self._serving.end()
        self._serving.raise_failure()

    def _share(self, index: int, watches: ExitStack) -> "InMemoryShare":
        readers = {topic: Reader(partitions[index]) for topic, partitions in self._topics.items()}
        for reader in readers.values():
            watches.enter_context(reader.partition.watched_by(reader.changed))
        return InMemoryShare(index, self._group, readers, self._before)


class Reader:
    """Where a share is in one topic. `position` is None before the start."""

    def __init__(self, partition: Partition) -> None:
        self.partition = partition
        self.position: int | None = None
        self.changed = asyncio.Event()

    def start(self, offset: int) -> None:
        self.position = offset
        self.changed.set()

    def read(self, limit: int) -> list[Record]:
        self.changed.clear()
        if self.position is None:
            return []
        records, self.position = self.partition.read(self.position, limit)
        return records


class InMemoryShare:
    def __init__(self, index: int, group: Group, readers: Mapping[str, Reader], before: Before) -> None:
        self.index = index
        self.revoked = asyncio.Event()
        self._group = group
        self._readers = readers
        self._before = before
        self._released = False

    async def committed(self, topic: str) -> Committed | None:
        await self._before("committed")
        return self._group.progress.get((topic, self.index))

    def start(self, offsets: Mapping[str, int]) -> None:
        for topic, offset in offsets.items():
            self._readers[topic].start(offset)

    async def fetch(self, topic: str, max_records: int, timeout: float) -> Sequence[Record]:
        await self._before("fetch")
        reader = self._readers[topic]
        records = self._read(reader, max_records)
        if not records and not self.revoked.is_set() and await wait_for(reader.changed, timeout):
            records = self._read(reader, max_records)
        return records

    async def commit(self, progress: Mapping[str, Committed]) -> None:
        await self._before("commit")
        if self._released:
            raise Fenced(f"Partition {self.index} belongs to another member of the group now")
        self._group.progress.update({(topic, self.index): committed for topic, committed in progress.items()})
        await self._before("commit-answer")

    def revoke(self) -> None:
        self.revoked.set()
        for reader in self._readers.values():
            reader.changed.set()

    def release(self) -> None:
        self._released = True

    def _read(self, reader: Reader, limit: int) -> list[Record]:
        return [] if self.revoked.is_set() else reader.read(limit)


async def _first(*waits: Awaitable[None]) -> None:
    """Wait until one of them ends, however it does, and cancel the rest."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _range_of(place: int, members: int, partitions: int) -> range:
    """The numbers of the member at `place`: consecutive, and the first members get one more when it does not divide."""
    each, extra = divmod(partitions, members)
    first = place * each + min(place, extra)
    return range(first, first + each + (place < extra))
