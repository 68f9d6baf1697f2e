"""`KafkaWriter`: an idempotent producer whose calls share batches."""

import asyncio
from collections.abc import Sequence
from time import time

from connectory.domain.errors import Unavailable
from connectory.infra.kafka.batches import BATCH_BYTES, Batches, Placed, deliver, positions
from connectory.infra.kafka.connection import DELIVERY_SECONDS, Connection
from connectory.infra.kafka.failures import translated, unavailable
from connectory.infra.kafka.library import PATIENCE, AIOKafkaProducer, stop_producer
from connectory.infra.log import Message, Position, check_sizes, partition_for

REOPEN_SECONDS = 1.0
"""After a failed opening, calls fail at once for so long: those that wait in line do not each try in turn."""


class Lane:
    """One partition of one producer. A batch is under way at a time; what comes meanwhile gathers in the next."""

    def __init__(self, outlet: "Outlet", topic: str, partition: int) -> None:
        self._outlet = outlet
        self._topic = topic
        self._partition = partition
        self._batches = Batches(outlet.producer)
        self._sending: asyncio.Task[None] | None = None

    def add(self, message: Message, timestamp_ms: int) -> Placed:
        if self._sending is None:
            self._sending = asyncio.create_task(self._send(), name=f"write-{self._topic}-{self._partition}")
        return self._batches.add(message, self._partition, timestamp_ms)

    def fail(self, error: Exception) -> None:
        for batch in self._batches.queue:
            batch.fail(error)
        self._batches.queue.clear()

    async def end(self, patience: float) -> None:
        """Wait until nothing is left to send, or give up after `patience` seconds."""
        if self._sending is not None:
            await asyncio.wait([self._sending], timeout=patience)
            self._sending.cancel()

    async def _send(self) -> None:
        queue = self._batches.queue
        while queue:
            batch = queue.pop(0)
            try:
                async with asyncio.timeout(DELIVERY_SECONDS):
                    await deliver(self._outlet.producer, batch, self._topic, self._partition)
            except asyncio.CancelledError:
                closed = Unavailable("Cannot write records: the writer was closed before Kafka acknowledged them")
                batch.fail(closed)
                self.fail(closed)
                raise
            except Exception as error:
                # Nobody takes over a producer without a transactional id, so this is never `Fenced`.
                failure = unavailable(self._outlet.servers, "write records", error)
                batch.fail(failure)
                self._outlet.fail(failure)
        self._sending = None


class Outlet:
    """One life of a producer. A batch that fails for good breaks its numbering, so all that follows fails too."""

    def __init__(self, connection: Connection) -> None:
        options = connection.options(
            enable_idempotence=True, acks="all", linger_ms=0, max_batch_size=BATCH_BYTES, max_request_size=1 << 23
        )
        self.producer = AIOKafkaProducer(**options)
        self.servers = connection.servers
        self.is_broken = False
        self._prefixed = connection.prefixed
        self._lanes: dict[tuple[str, int], Lane] = {}
        self._counts: dict[str, int] = {}

    async def open(self) -> None:
        async with asyncio.timeout(DELIVERY_SECONDS):
            await self.producer.start()

    async def learn(self, topics: set[str]) -> None:
        """Find out the partition counts of topics not written to before."""
        for topic in topics - self._counts.keys():
            self._counts[topic] = len(await self.producer.partitions_for(self._prefixed(topic)))

    def add(self, message: Message, timestamp_ms: int) -> Placed:
        partition = message.partition
        if partition is None:
            partition = partition_for(message.key or b"", self._counts[message.topic])
        lane = self._lanes.get((message.topic, partition))
        if lane is None:
            lane = Lane(self, self._prefixed(message.topic), partition)
            self._lanes[message.topic, partition] = lane
        return lane.add(message, timestamp_ms)

    def fail(self, error: Exception) -> None:
        self.is_broken = True
        for lane in self._lanes.values():
            lane.fail(error)

    async def close(self) -> None:
        patience = 0.0 if self.is_broken else PATIENCE
        await asyncio.gather(*(lane.end(patience) for lane in self._lanes.values()))
        await stop_producer(self.producer, patience)


class KafkaWriter:
    """Opens its producer at the first call, and a new one after one has failed, so that its owner need not."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._outlet: Outlet | None = None
        self._no_try_before = 0.0
        # Held until the messages are queued: calls keep their order even while one of them waits for metadata.
        self._turn = asyncio.Lock()

    async def write(self, messages: Sequence[Message]) -> list[Position]:
        check_sizes(messages)
        async with self._turn:
            with translated(self._connection.servers, "write records"):
                outlet = await self._open_outlet()
                await outlet.learn({message.topic for message in messages})
            now = int(time() * 1000)
            placed = [outlet.add(message, now) for message in messages]
        for batch in {batch for _, batch, _ in placed}:
            await batch.acknowledged()
        return positions(messages, placed)

    async def close(self) -> None:
        outlet, self._outlet = self._outlet, None
        if outlet is not None:
            await outlet.close()

    async def _open_outlet(self) -> Outlet:
        if self._outlet is not None and not self._outlet.is_broken:
            return self._outlet
        await self.close()
        clock = asyncio.get_running_loop().time
        if clock() < self._no_try_before:
            await asyncio.sleep(0)
            raise Unavailable(
                f"Cannot write records: Kafka at {self._connection.servers} could not be reached just now"
            )
        outlet = Outlet(self._connection)
        try:
            await outlet.open()
        except BaseException:
            self._no_try_before = clock() + REOPEN_SECONDS
            await outlet.close()
            raise
        self._outlet = outlet
        return outlet
