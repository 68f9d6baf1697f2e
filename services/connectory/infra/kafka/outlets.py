"""`Outlets`: the producers of a writer, and the lanes in which records wait to be sent."""

import asyncio

from connectory.domain.errors import ConnectoryError, Fenced, Unavailable
from connectory.infra.kafka.batches import BATCH_BYTES, Batches, Placed, deliver
from connectory.infra.kafka.connection import DELIVERY_SECONDS, Connection
from connectory.infra.kafka.failures import unavailable
from connectory.infra.kafka.library import (
    PATIENCE,
    AIOKafkaProducer,
    BatchBuilder,
    kafka_errors,
    set_identity,
    start_client,
    stop_producer,
)
from connectory.infra.kafka.tenure import Identity
from connectory.infra.log import Message, partition_for

REOPEN_SECONDS = 1.0
"""After a failed opening, calls fail at once for so long: those that wait in line do not each try in turn."""


class Numbering:
    """Gives a claim's identity and consecutive sequence numbers to its batches: what is sent twice is kept once."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._next = 0

    def stamp(self, builder: BatchBuilder, count: int) -> None:
        set_identity(builder, *self._identity, self._next)
        self._next = (self._next + count) & 0x7FFFFFFF


class Lane:
    """One partition of one producer. A batch is under way at a time; what comes meanwhile gathers in the next.

    `numbering` is that of a claim; without one the producer's own identity counts.
    """

    def __init__(self, outlet: "Outlet", topic: str, partition: int, numbering: Numbering | None = None) -> None:
        self._outlet = outlet
        self._topic = topic
        self._partition = partition
        self._numbering = numbering
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
                if self._numbering is not None:
                    self._numbering.stamp(batch.builder, batch.count)
                async with asyncio.timeout(DELIVERY_SECONDS):
                    await deliver(self._outlet.producer, batch, self._topic, self._partition)
            except asyncio.CancelledError:
                closed = Unavailable("Cannot write records: the writer was closed before Kafka acknowledged them")
                batch.fail(closed)
                self.fail(closed)
                raise
            except Exception as error:
                batch.fail(self._failure(error))
        self._sending = None

    def _failure(self, error: Exception) -> ConnectoryError:
        """What it means that a batch could not be written, which takes what waits behind it along."""
        if self._numbering is not None and isinstance(error, kafka_errors.ProducerFenced):
            fenced = Fenced(f"Another instance has claimed {self._topic}[{self._partition}]")
            self.fail(fenced)
            return fenced
        failure = unavailable(self._outlet.servers, "write records", error)
        self._outlet.fail(failure)
        return failure


class Outlet:
    """One life of a producer. A batch that fails for good breaks its numbering, so all that follows fails too."""

    def __init__(self, connection: Connection, *, idempotent: bool) -> None:
        options = connection.options(
            enable_idempotence=idempotent, acks="all", linger_ms=0, max_batch_size=BATCH_BYTES, max_request_size=1 << 23
        )
        self.producer = AIOKafkaProducer(**options)
        self.servers = connection.servers
        self.is_broken = False
        self._prefixed = connection.prefixed
        self._lanes: dict[tuple[str, int], Lane] = {}
        self._claimed: set[Lane] = set()
        self._counts: dict[str, int] = {}

    async def open(self) -> None:
        async with asyncio.timeout(DELIVERY_SECONDS):
            await start_client(self.producer)

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

    def claimed_lane(self, topic: str, partition: int, identity: Identity) -> Lane:
        """A lane for a claim, until `end_claimed`."""
        lane = Lane(self, self._prefixed(topic), partition, Numbering(identity))
        self._claimed.add(lane)
        return lane

    async def end_claimed(self, lane: Lane) -> None:
        await lane.end(self._patience())
        self._claimed.discard(lane)

    def fail(self, error: Exception) -> None:
        self.is_broken = True
        for lane in (*self._lanes.values(), *self._claimed):
            lane.fail(error)

    async def close(self) -> None:
        await asyncio.gather(*(lane.end(self._patience()) for lane in (*self._lanes.values(), *self._claimed)))
        await stop_producer(self.producer, self._patience())

    def _patience(self) -> float:
        return 0.0 if self.is_broken else PATIENCE


class Outlets:
    """One outlet at a time: opened when it is first wanted, and anew after it has broken.

    Outlets of claims are not idempotent by themselves: the identities of the claims make their batches so.
    """

    def __init__(self, connection: Connection, *, idempotent: bool) -> None:
        self._connection = connection
        self._idempotent = idempotent
        self._outlet: Outlet | None = None
        self._no_try_before = 0.0
        self._opening = asyncio.Lock()

    async def current(self) -> Outlet:
        if self._outlet is not None and not self._outlet.is_broken:
            return self._outlet
        async with self._opening:
            if self._outlet is None or self._outlet.is_broken:
                await self.close()
                self._outlet = await self._open()
            return self._outlet

    async def close(self) -> None:
        outlet, self._outlet = self._outlet, None
        if outlet is not None:
            await outlet.close()

    async def _open(self) -> Outlet:
        clock = asyncio.get_running_loop().time
        if clock() < self._no_try_before:
            await asyncio.sleep(0)
            servers = self._connection.servers
            raise Unavailable(f"Cannot write records: Kafka at {servers} could not be reached just now")
        outlet = Outlet(self._connection, idempotent=self._idempotent)
        try:
            await outlet.open()
        except BaseException:
            self._no_try_before = clock() + REOPEN_SECONDS
            await outlet.close()
            raise
        return outlet
