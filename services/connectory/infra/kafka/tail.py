"""`KafkaTail`: a consumer of one partition, outside of any group."""

import asyncio
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import TypeGuard

from connectory.infra.kafka.connection import DELIVERY_SECONDS, Connection, milliseconds
from connectory.infra.kafka.failures import translated
from connectory.infra.kafka.library import AIOKafkaConsumer, ConsumerRecord, TopicPartition, start_client, stop_consumer
from connectory.infra.log import Headers, Record

_value = itemgetter(1)

FETCH_LIMIT = 1000
"""Records a fetch returns at most: more would hold up the event loop."""

FETCH_BYTES = 4 << 20
FETCH_WAIT_SECONDS = 0.5
"""How long a broker may hold a fetch open when there is nothing new."""

GLANCE_SECONDS = 0.05
"""The library does not report that a marker has moved the position, so it is looked at: so soon, and then, while it
stays where it is, after twice the time each time. Records are reported."""


class KafkaTail:
    def __init__(self, connection: Connection, topic: str, partition: int) -> None:
        self._servers = connection.servers
        self._topic = topic
        self._place = TopicPartition(connection.prefixed(topic), partition)
        self._position = 0
        self._connection = connection
        self._watcher: AIOKafkaConsumer | None = None
        self._opening_watcher = asyncio.Lock()
        self._consumer = AIOKafkaConsumer(
            **connection.options(
                isolation_level="read_committed",
                auto_offset_reset="earliest",
                enable_auto_commit=False,
                fetch_max_wait_ms=milliseconds(FETCH_WAIT_SECONDS),
                max_partition_fetch_bytes=FETCH_BYTES,
            )
        )

    @property
    def position(self) -> int:
        return self._position

    async def open(self, offset: int) -> None:
        with translated(self._servers, f"read {self._place.topic}"):
            async with asyncio.timeout(DELIVERY_SECONDS):
                await start_client(self._consumer)
                self._consumer.assign([self._place])
                beginning = await self._consumer.beginning_offsets([self._place])
        self._position = max(offset, beginning[self._place])
        self._consumer.seek(self._place, self._position)

    async def close(self) -> None:
        for consumer in (self._consumer, self._watcher):
            if consumer is not None:
                await stop_consumer(consumer)

    async def end_offset(self) -> int:
        return await self._end_seen_by(self._consumer)

    async def high_watermark(self) -> int:
        """Asks by a client of its own, kept for the next time: the library ties the question to how one reads."""
        async with self._opening_watcher:
            if self._watcher is None:
                self._watcher = await self._started_watcher()
        return await self._end_seen_by(self._watcher)

    async def _started_watcher(self) -> AIOKafkaConsumer:
        options = self._connection.options(isolation_level="read_uncommitted", enable_auto_commit=False)
        watcher = AIOKafkaConsumer(**options)
        try:
            with translated(self._servers, f"read {self._place.topic}"):
                async with asyncio.timeout(DELIVERY_SECONDS):
                    await start_client(watcher)
        except BaseException:
            await stop_consumer(watcher)
            raise
        return watcher

    async def _end_seen_by(self, consumer: AIOKafkaConsumer) -> int:
        with translated(self._servers, f"read the end offset of {self._place.topic}"):
            async with asyncio.timeout(DELIVERY_SECONDS):
                ends = await consumer.end_offsets([self._place])
        return int(ends[self._place])

    async def fetch(self, timeout: float) -> Sequence[Record]:
        clock = asyncio.get_running_loop().time
        deadline, glance = clock() + timeout, GLANCE_SECONDS
        while True:
            left = max(0.0, deadline - clock())
            records = await self._glance(min(left, glance))
            glance *= 2
            position = await self._consumer.position(self._place)
            moved, self._position = position != self._position, position
            if records or moved or not left:
                return records

    async def _glance(self, timeout: float) -> list[Record]:
        with translated(self._servers, f"read {self._place.topic}"):
            fetched = await self._consumer.getmany(timeout_ms=milliseconds(timeout), max_records=FETCH_LIMIT)
        return records_of(self._topic, fetched.get(self._place, ()))


def records_of(topic: str, records: Iterable[ConsumerRecord]) -> list[Record]:
    """The library's records as ours."""
    return [Record(topic, r.partition, r.offset, r.timestamp, r.key, r.value, _headers(r.headers)) for r in records]


def _headers(headers: Sequence[tuple[str, bytes | None]]) -> Headers:
    """Kafka tells a header without a value from one with an empty value; nobody here does."""
    if _have_values(headers):
        return headers
    return tuple((name, value or b"") for name, value in headers)


def _have_values(headers: Sequence[tuple[str, bytes | None]]) -> TypeGuard[Headers]:
    """Whether none is empty, as nearly always: to look costs a third of making the pairs anew."""
    return all(map(_value, headers))
