"""`KafkaShare`: one partition number of a group's topics, and the buffer of each topic.

A buffer that is full pauses its own partition: one topic that nobody fetches holds up no other, nor another share.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from connectory.domain.errors import Fenced
from connectory.infra.kafka.connection import DELIVERY_SECONDS, Connection
from connectory.infra.kafka.failures import translated
from connectory.infra.kafka.library import AIOKafkaConsumer, TopicPartition, committed_with_metadata, generation_of
from connectory.infra.log import Committed, Record

BUFFER_RECORDS = 2000
BUFFER_BYTES = 4 << 20
"""A topic with more in its buffer is paused, and goes on at half. What is on the way then comes on top."""


class Buffer:
    """What has come of one partition and is not fetched yet."""

    def __init__(self, consumer: AIOKafkaConsumer, place: TopicPartition) -> None:
        self._consumer = consumer
        self._place = place
        self._records: deque[Record] = deque()
        self._bytes = 0
        self._is_paused = False
        self._arrived = asyncio.Event()

    def start(self, offset: int) -> None:
        self._consumer.seek(self._place, offset)
        self._consumer.resume(self._place)

    def add(self, records: Sequence[Record]) -> None:
        self._records.extend(records)
        self._bytes += _size(records)
        self._arrived.set()
        if len(self._records) > BUFFER_RECORDS or self._bytes > BUFFER_BYTES:
            self._is_paused = True
            self._consumer.pause(self._place)

    async def filled(self, timeout: float) -> None:
        """Wait for a record, for `wake`, or for `timeout` seconds."""
        if self._records:
            return
        self._arrived.clear()
        try:
            async with asyncio.timeout(timeout):
                await self._arrived.wait()
        except TimeoutError:
            return

    def wake(self) -> None:
        self._arrived.set()

    def take(self, limit: int) -> list[Record]:
        records = self._records
        taken = [records.popleft() for _ in range(min(limit, len(records)))]
        self._bytes -= _size(taken)
        if self._is_paused and len(records) <= BUFFER_RECORDS // 2 and self._bytes <= BUFFER_BYTES // 2:
            self._is_paused = False
            self._consumer.resume(self._place)
        return taken


class KafkaShare:
    def __init__(
        self, index: int, topics: Iterable[str], connection: Connection, group: str, consumer: AIOKafkaConsumer
    ) -> None:
        self.index = index
        self.revoked = asyncio.Event()
        self._connection = connection
        self._group = group
        self._consumer = consumer
        self._generation = generation_of(consumer)
        self._buffers = {topic: Buffer(consumer, self._place(topic)) for topic in topics}
        self._is_released = False

    async def committed(self, topic: str) -> Committed | None:
        with translated(self._connection.servers, f"read the progress of {self._group}"):
            async with asyncio.timeout(DELIVERY_SECONDS):
                found = await committed_with_metadata(self._consumer, self._place(topic))
        return Committed(*found) if found else None

    def start(self, offsets: Mapping[str, int]) -> None:
        self._check_ours()
        for topic, offset in offsets.items():
            self._buffers[topic].start(offset)

    async def fetch(self, topic: str, max_records: int, timeout: float) -> Sequence[Record]:
        buffer = self._buffers[topic]
        if not self.revoked.is_set():
            await buffer.filled(timeout)
        return () if self.revoked.is_set() else buffer.take(max_records)

    async def commit(self, progress: Mapping[str, Committed]) -> None:
        self._check_ours()
        offsets = {self._place(topic): (offset, metadata) for topic, (offset, metadata) in progress.items()}
        with translated(self._connection.servers, f"commit the progress of {self._group}"):
            async with asyncio.timeout(DELIVERY_SECONDS):
                await self._consumer.commit(offsets)

    def revoke(self) -> None:
        self.revoked.set()
        for buffer in self._buffers.values():
            buffer.wake()

    def release(self) -> None:
        self._is_released = True

    def deliver(self, topic: str, records: Sequence[Record]) -> None:
        """Put fetched records of one topic into its buffer."""
        self._buffers[topic].add(records)

    def _place(self, topic: str) -> TopicPartition:
        return TopicPartition(self._connection.prefixed(topic), self.index)

    def _check_ours(self) -> None:
        if self._is_released or generation_of(self._consumer) != self._generation:
            raise Fenced(f"Partition {self.index} may belong to another member of {self._group} now")


def _size(records: Iterable[Record]) -> int:
    return sum(len(record.value or b"") + len(record.key or b"") for record in records)
