"""`InMemoryLog`: topics, groups and transactional ids in the memory of one event loop.

Deterministic: the order of what happens is the order of the calls, and time comes from the clock it is given. Beyond
the seam it has what tests need: raw records in, all records out, compaction and retention on demand.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from connectory.domain.errors import Unavailable
from connectory.infra.clock import Clock, utc_now
from connectory.infra.in_memory_log.groups import Group, Member
from connectory.infra.in_memory_log.partition import Partition, Transaction
from connectory.infra.in_memory_log.producers import InMemoryTransactions, InMemoryWriter, Producer
from connectory.infra.in_memory_log.tail import InMemoryTail
from connectory.infra.log import Committed, Headers, Message, Position, Record, Serve, partition_for
from connectory.infra.serving import Serving
from connectory.infra.topics import TopicSpec


class InMemoryLog:
    """`grace` is in seconds.

    `before` is awaited at the start of each operation with its name, and may raise: `create-topics`, `offsets`,
    `write`, `claim`, `transactions`, `transaction-begin`, `transaction-write`, `transaction-offsets`,
    `transaction-commit`, `tail`, `end-offset`, `fetch`, `join`, `committed`, `commit`.
    It is awaited once more when a change is made and not yet answered: `write-answer`, `transaction-commit-answer`,
    `commit-answer`.
    """

    def __init__(
        self,
        partitions: int = 6,
        *,
        clock: Clock = utc_now,
        grace: float = 10.0,
        before: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._partitions = partitions
        self._clock = clock
        self._grace = grace
        self._hook = before
        self._topics: dict[str, list[Partition]] = {}
        self._groups: defaultdict[str, Group] = defaultdict(Group)
        self._producers: defaultdict[str, Producer] = defaultdict(Producer)
        self._claims: defaultdict[str, int] = defaultdict(int)

    async def create_topics(self, specs: Sequence[TopicSpec]) -> list[str]:
        await self._before("create-topics")
        created = [spec.name for spec in specs if spec.name not in self._topics]
        for name in created:
            self._topics[name] = [Partition(name, index) for index in range(self._partitions)]
        return created

    async def partition_count(self, topic: str) -> int:
        await self._before("offsets")
        return len(self._topic(topic))

    async def beginning_offset(self, topic: str, partition: int) -> int:
        await self._before("offsets")
        return self._topic(topic)[partition].beginning

    async def offset_at(self, topic: str, partition: int, timestamp_ms: int) -> int:
        await self._before("offsets")
        return self._topic(topic)[partition].offset_at(timestamp_ms)

    async def backlog(self, group: str, topics: Sequence[str]) -> Mapping[str, int]:
        await self._before("offsets")
        progress = self._groups[group].progress
        return {topic: sum(_left(each, progress) for each in self._topic(topic)) for topic in topics}

    @asynccontextmanager
    async def tail(self, topic: str, partition: int, offset: int) -> AsyncIterator[InMemoryTail]:
        await self._before("tail")
        source = self._topic(topic)[partition]
        tail = InMemoryTail(source, offset, self._before)
        with source.watched_by(tail.changed):
            yield tail

    @asynccontextmanager
    async def writer(self) -> AsyncIterator[InMemoryWriter]:
        yield InMemoryWriter(self, self._before)

    @asynccontextmanager
    async def transactions(self, transactional_id: str) -> AsyncIterator[InMemoryTransactions]:
        await self._before("transactions")
        transactions = InMemoryTransactions(transactional_id, self._producers[transactional_id], self, self._before)
        try:
            yield transactions
        finally:
            transactions.close()

    async def join(self, group: str, topics: Sequence[str], serve: Serve) -> None:
        await self._before("join")
        shared = {topic: self._topic(topic) for topic in topics}
        await Member(self._groups[group], Serving(group, serve, self._grace), shared, self._before).run()

    # What tests need beside the seam.

    def append_raw(
        self,
        topic: str,
        partition: int,
        value: bytes | None,
        *,
        key: bytes | None = None,
        headers: Headers = (),
        timestamp_ms: int | None = None,
    ) -> Position:
        """Add a record that no writer of ours would write: on a foreign partition, undecodable, or back-dated."""
        target = self._topic(topic)[partition]
        at = self._now_ms() if timestamp_ms is None else timestamp_ms
        return Position(topic, partition, target.append(Message(topic, key, value, headers), at))

    def records(self, topic: str) -> list[Record]:
        """All that a reader could see now, in order of partition and offset."""
        return [
            record
            for partition in self._topic(topic)
            for record in partition.read(partition.beginning, partition.next_offset + 1)[0]
        ]

    def progress(self, group: str) -> Mapping[tuple[str, int], Committed]:
        """What a group has committed, by (topic, partition)."""
        return dict(self._groups[group].progress)

    def compact(self, topic: str, *, drop_tombstones: bool = True) -> None:
        """Keep the last record of each key, as the broker's cleaner does sooner or later."""
        for partition in self._topic(topic):
            partition.compact(drop_tombstones=drop_tombstones)

    def delete_before(self, topic: str, partition: int, offset: int) -> None:
        """Forget records as retention does: the beginning moves to `offset`."""
        self._topic(topic)[partition].delete_before(offset)

    # What producers need.

    def append(self, message: Message, transaction: Transaction | None = None) -> Position:
        partitions = self._topic(message.topic)
        index = message.partition
        if index is None:
            index = partition_for(message.key or b"", len(partitions))
        return Position(message.topic, index, partitions[index].append(message, self._now_ms(), transaction))

    def claim(self, name: str) -> int:
        self._claims[name] += 1
        return self._claims[name]

    def newest_claim(self, name: str) -> int:
        return self._claims[name]

    def record_progress(self, group: str, progress: Mapping[tuple[str, int], Committed]) -> None:
        self._groups[group].progress.update(progress)

    def _topic(self, name: str) -> list[Partition]:
        try:
            return self._topics[name]
        except KeyError:
            raise Unavailable(f"The topic {name} does not exist: create it first") from None

    def _now_ms(self) -> int:
        return int(self._clock().timestamp() * 1000)

    async def _before(self, operation: str) -> None:
        """Let others run, as a network call would, and let a test interfere."""
        await asyncio.sleep(0)
        if self._hook is not None:
            await self._hook(operation)


def _left(partition: Partition, progress: Mapping[tuple[str, int], Committed]) -> int:
    committed = progress.get((partition.topic, partition.index), Committed(0))
    return partition.next_offset - max(committed.offset, partition.beginning)
