"""`Member`: one member of a group, and the shares it serves.

One consumer fetches for all shares, and a loop of ours takes everything from it at once: the library does not ask a
broker for more while it holds records of any of its partitions. So each share has a buffer here, and a share whose
buffer is full pauses its own partitions and nobody else's.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

from connectory.domain.errors import Fenced
from connectory.infra.kafka.connection import DELIVERY_SECONDS, Connection, milliseconds
from connectory.infra.kafka.failures import translated
from connectory.infra.kafka.library import (
    AIOKafkaConsumer,
    ConsumerRebalanceListener,
    RangePartitionAssignor,
    TopicPartition,
    committed_with_metadata,
    generation_of,
    stop_consumer,
)
from connectory.infra.kafka.tail import records_of
from connectory.infra.log import Committed, Record
from connectory.infra.serving import Serving

BUFFER_RECORDS = 4000
BUFFER_BYTES = 8 << 20
"""A share with more in its buffer is paused, and goes on at half. What is on the way then comes on top."""

FETCH_BYTES = 1 << 20
FETCH_WAIT_SECONDS = 0.1
"""How long a broker may hold a fetch open when there is nothing new. Starting or resuming a partition waits so long."""

REJOIN_SECONDS = 5.0
"""What a member needs to join anew, beside the grace time of its work."""

logger = logging.getLogger(__name__)


class KafkaShare:
    def __init__(self, index: int, connection: Connection, group: str, consumer: AIOKafkaConsumer) -> None:
        self.index = index
        self.revoked = asyncio.Event()
        self._connection = connection
        self._group = group
        self._consumer = consumer
        self._generation = generation_of(consumer)
        self._started: list[TopicPartition] = []
        self._buffer: deque[Record] = deque()
        self._bytes = 0
        self._is_paused = False
        self._is_released = False
        self._arrived = asyncio.Event()

    async def committed(self, topic: str) -> Committed | None:
        with translated(self._connection.servers, f"read the progress of {self._group}"):
            async with asyncio.timeout(DELIVERY_SECONDS):
                found = await committed_with_metadata(self._consumer, self._place(topic))
        return Committed(*found) if found else None

    def start(self, offsets: Mapping[str, int]) -> None:
        self._check_ours()
        for topic, offset in offsets.items():
            place = self._place(topic)
            self._consumer.seek(place, offset)
            self._consumer.resume(place)
            self._started.append(place)

    async def fetch(self, max_records: int, timeout: float) -> Sequence[Record]:
        if not self._buffer and not self.revoked.is_set():
            self._arrived.clear()
            try:
                async with asyncio.timeout(timeout):
                    await self._arrived.wait()
            except TimeoutError:
                return ()
        return self._take(max_records)

    async def commit(self, progress: Mapping[str, Committed]) -> None:
        self._check_ours()
        offsets = {self._place(topic): (offset, metadata) for topic, (offset, metadata) in progress.items()}
        with translated(self._connection.servers, f"commit the progress of {self._group}"):
            async with asyncio.timeout(DELIVERY_SECONDS):
                await self._consumer.commit(offsets)

    def revoke(self) -> None:
        self.revoked.set()
        self._arrived.set()

    def release(self) -> None:
        self._is_released = True

    def deliver(self, records: Sequence[Record]) -> None:
        """Put fetched records of one topic into the buffer."""
        self._buffer.extend(records)
        self._bytes += sum(_size(record) for record in records)
        self._arrived.set()
        if len(self._buffer) > BUFFER_RECORDS or self._bytes > BUFFER_BYTES:
            self._is_paused = True
            self._consumer.pause(*self._started)

    def _take(self, max_records: int) -> list[Record]:
        if self.revoked.is_set():
            return []
        taken = [self._buffer.popleft() for _ in range(min(max_records, len(self._buffer)))]
        self._bytes -= sum(_size(record) for record in taken)
        if self._is_paused and len(self._buffer) <= BUFFER_RECORDS // 2 and self._bytes <= BUFFER_BYTES // 2:
            self._is_paused = False
            self._consumer.resume(*self._started)
        return taken

    def _place(self, topic: str) -> TopicPartition:
        return TopicPartition(self._connection.prefixed(topic), self.index)

    def _check_ours(self) -> None:
        if self._is_released or generation_of(self._consumer) != self._generation:
            raise Fenced(f"Partition {self.index} may belong to another member of {self._group} now")


class Member(ConsumerRebalanceListener):  # type: ignore[misc]
    """One call of `join`. Times are in seconds; `instance` is as in `KafkaLog`."""

    def __init__(
        self,
        connection: Connection,
        group: str,
        topics: Sequence[str],
        serving: Serving,
        *,
        instance: str | None,
        grace: float,
        session_timeout: float,
        heartbeat_interval: float,
    ) -> None:
        self._connection = connection
        self._group = group
        self._topics = {connection.prefixed(topic): topic for topic in topics}
        self._serving = serving
        self._shares: dict[int, KafkaShare] = {}
        self._is_leaving = False
        rebalance = grace + REJOIN_SECONDS
        self._consumer = AIOKafkaConsumer(
            **connection.options(
                group_id=connection.prefixed(group),
                group_instance_id=instance,
                partition_assignment_strategy=(RangePartitionAssignor,),
                isolation_level="read_committed",
                auto_offset_reset="earliest",
                enable_auto_commit=False,
                fetch_max_wait_ms=milliseconds(FETCH_WAIT_SECONDS),
                max_partition_fetch_bytes=FETCH_BYTES,
                session_timeout_ms=milliseconds(session_timeout),
                heartbeat_interval_ms=milliseconds(heartbeat_interval),
                rebalance_timeout_ms=milliseconds(max(rebalance, session_timeout)),
                # A broker answers a join only when every member has joined.
                request_timeout_ms=milliseconds(max(rebalance, session_timeout) + REJOIN_SECONDS),
            )
        )

    async def run(self) -> None:
        try:
            self._consumer.subscribe(list(self._topics), listener=self)
            with self._translated():
                await self._consumer.start()
            await self._until_failure()
        finally:
            self._is_leaving = True
            try:
                await self._serving.end()
            finally:
                await stop_consumer(self._consumer)

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Called before the group is joined anew, which waits for this to end; heartbeats go on meanwhile."""
        await self._serving.end()
        self._shares = {}

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Called in one go with the assignment, so that nothing is fetched before a share is started."""
        self._consumer.pause(*assigned)
        if not self._is_leaving:
            indexes = sorted({place.partition for place in assigned})
            self._shares = {n: KafkaShare(n, self._connection, self._group, self._consumer) for n in indexes}
            self._serving.start(self._shares.values())

    async def _until_failure(self) -> None:
        waits = [asyncio.create_task(self._fetch()), asyncio.create_task(self._serving.failure())]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _fetch(self) -> None:
        """Take whatever has come, and hand it to the shares. Yields also when there is always something."""
        while True:
            with self._translated():
                fetched = await self._consumer.getmany(timeout_ms=1000)
            for place, records in fetched.items():
                share = self._shares.get(place.partition)
                if share is not None:
                    share.deliver(records_of(self._topics[place.topic], records))
            await asyncio.sleep(0)

    def _translated(self) -> AbstractContextManager[None]:
        return translated(self._connection.servers, f"be a member of {self._group}")


def _size(record: Record) -> int:
    return len(record.value or b"") + len(record.key or b"")
