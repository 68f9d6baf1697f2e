"""`KafkaTransactions`: a transactional producer.

The library speaks the first version of the transaction protocol. Two things follow. Writes are awaited before offsets
are sent: beside them the broker now and then answers NOT_ENOUGH_REPLICAS, at the price of a wait. And a transaction
right after another one meets CONCURRENT_TRANSACTIONS while the broker still writes the markers of the first; the wait
between tries is short here for that reason.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import zip_longest
from time import time

from connectory.domain.errors import ConnectoryError, Fenced, Unavailable
from connectory.infra.kafka.batches import BATCH_BYTES, Batch, Batches, Placed, deliver, positions
from connectory.infra.kafka.connection import DELIVERY_SECONDS, Connection, milliseconds
from connectory.infra.kafka.failures import translated
from connectory.infra.kafka.library import PATIENCE, AIOKafkaProducer, TopicPartition, start_client, stop_producer
from connectory.infra.log import Message, Position, check_sizes, partition_for

RETRY_SECONDS = 0.05
TRANSACTION_SECONDS = 45.0
"""After so long the broker aborts a transaction whose owner has vanished; readers wait for that."""

logger = logging.getLogger(__name__)


class KafkaTransactions:
    """After a failure that leaves it open what the broker did, every call raises what that failure was."""

    def __init__(self, connection: Connection, transactional_id: str) -> None:
        self._connection = connection
        self._id = transactional_id
        self._failure: ConnectoryError | None = None
        self._producer = AIOKafkaProducer(
            **connection.options(
                transactional_id=connection.prefixed(transactional_id),
                transaction_timeout_ms=milliseconds(TRANSACTION_SECONDS),
                retry_backoff_ms=milliseconds(RETRY_SECONDS),
                linger_ms=0,
                max_batch_size=BATCH_BYTES,
                max_request_size=1 << 23,
            )
        )

    async def open(self) -> None:
        """Fence every earlier owner of the id, and settle what it left open."""
        with translated(self._connection.servers, f"open the transactional id {self._id}"):
            async with asyncio.timeout(DELIVERY_SECONDS):
                await start_client(self._producer)

    async def close(self) -> None:
        await stop_producer(self._producer, 0.0 if self._failure else PATIENCE)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["KafkaTransactionWriter"]:
        if self._failure is not None:
            raise type(self._failure)(self._failure.message)
        async with self._step("begin"):
            await self._producer.begin_transaction()
        try:
            yield KafkaTransactionWriter(self._connection, self._producer)
        except BaseException as error:
            await self._abort(error)
            raise
        async with self._step("commit"):
            await self._producer.commit_transaction()

    async def _abort(self, cause: BaseException) -> None:
        """Abort because of `cause`, which the caller goes on to raise: a failure to abort is not to hide it."""
        if isinstance(cause, Fenced | Unavailable):
            self._failure = cause
        if isinstance(cause, Fenced):
            return
        try:
            async with self._step("abort"):
                await self._producer.abort_transaction()
        except (ConnectoryError, AssertionError) as error:
            # The library asserts that its producer is still alive.
            logger.warning("%s was not aborted: %s", self._id, error)

    @asynccontextmanager
    async def _step(self, doing: str) -> AsyncIterator[None]:
        """One step of the protocol. If it fails or is interrupted, nobody here knows what the broker did."""
        what = f"{doing} a transaction of {self._id}"
        try:
            with translated(self._connection.servers, what):
                async with asyncio.timeout(DELIVERY_SECONDS):
                    yield
        except ConnectoryError as error:
            self._failure = error
            raise
        except BaseException:
            self._failure = Unavailable(f"Could not {what}: it was interrupted")
            raise


class KafkaTransactionWriter:
    def __init__(self, connection: Connection, producer: AIOKafkaProducer) -> None:
        self._connection = connection
        self._producer = producer

    async def write(self, messages: Sequence[Message]) -> list[Position]:
        check_sizes(messages)
        with translated(self._connection.servers, "write records in a transaction"):
            async with asyncio.timeout(DELIVERY_SECONDS):
                lanes, placed = await self._place(messages)
                for parcels in zip_longest(*lanes.values()):
                    await _all(
                        self._deliver(place, batch) for place, batch in zip(lanes, parcels, strict=True) if batch
                    )
        return positions(messages, placed)

    async def commit_offsets(self, group: str, offsets: Mapping[tuple[str, int], int]) -> None:
        places = {
            TopicPartition(self._connection.prefixed(topic), partition): offset
            for (topic, partition), offset in offsets.items()
        }
        with translated(self._connection.servers, f"commit offsets of {group} in a transaction"):
            async with asyncio.timeout(DELIVERY_SECONDS):
                await self._producer.send_offsets_to_transaction(places, self._connection.prefixed(group))

    async def _place(self, messages: Sequence[Message]) -> tuple[dict[tuple[str, int], list[Batch]], list[Placed]]:
        """Distribute messages to batches: the batches of each (topic, partition), and each message's place."""
        now = int(time() * 1000)
        lanes: dict[tuple[str, int], Batches] = {}
        placed: list[Placed] = []
        for message in messages:
            partition = await self._partition(message)
            lane = lanes.setdefault((message.topic, partition), Batches(self._producer))
            placed.append(lane.add(message, partition, now))
        return {place: lane.queue for place, lane in lanes.items()}, placed

    async def _partition(self, message: Message) -> int:
        if message.partition is not None:
            return message.partition
        partitions = await self._producer.partitions_for(self._connection.prefixed(message.topic))
        return partition_for(message.key or b"", len(partitions))

    async def _deliver(self, place: tuple[str, int], batch: Batch) -> None:
        topic, partition = place
        await deliver(self._producer, batch, self._connection.prefixed(topic), partition)


async def _all(deliveries: Iterable[Awaitable[None]]) -> None:
    """Wait for all, also when one fails, and raise the first error."""
    for result in await asyncio.gather(*deliveries, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
