"""Records put together for one partition, with one future for all of them.

A future a record is what makes the library's own `send` slow; a batch costs one, however many records it holds.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from connectory.domain.errors import MessageTooLarge
from connectory.infra.kafka.library import AIOKafkaProducer, BatchBuilder
from connectory.infra.log import Message, Position

BATCH_BYTES = 512 * 1024
"""A batch that has so much is closed, and the next one opened."""


class Batch:
    """`first_offset` is that of the first record, once all are acknowledged."""

    __slots__ = ("_append", "_error", "_waiting", "builder", "count", "first_offset", "is_over")

    def __init__(self, builder: BatchBuilder) -> None:
        self.builder = builder
        self.count = 0
        self.first_offset = -1
        self.is_over = False
        self._error: Exception | None = None
        self._waiting: list[asyncio.Future[None]] = []
        self._append: Any = builder.append

    def add(self, message: Message, timestamp_ms: int) -> bool:
        """False when it is full; the message is not in it then."""
        added = self._append(
            timestamp=timestamp_ms, key=message.key, value=message.value, headers=list(message.headers)
        )
        if added is None:
            return False
        self.count += 1
        return True

    async def acknowledged(self) -> None:
        """Wait until all is written, or raise why it is not. One who stops waiting does not disturb the others."""
        if not self.is_over:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            await waiting
        if self._error is not None:
            raise self._error

    def succeed(self, first_offset: int) -> None:
        self.first_offset = first_offset
        self._end()

    def fail(self, error: Exception) -> None:
        self._error = error
        self._end()

    def _end(self) -> None:
        self.is_over = True
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()


class Placed(NamedTuple):
    """Where a message was put: `place` counts within the batch."""

    partition: int
    batch: Batch
    place: int


class Batches:
    """The batches of one partition in order; the last one may still be open."""

    __slots__ = ("_producer", "queue")

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self.queue: list[Batch] = []

    def add(self, message: Message, partition: int, timestamp_ms: int) -> Placed:
        """Put a message into the open batch or a new one."""
        if self.queue and self.queue[-1].add(message, timestamp_ms):
            batch = self.queue[-1]
        else:
            batch = Batch(self._producer.create_batch())
            if not batch.add(message, timestamp_ms):
                raise MessageTooLarge(f"A record for {message.topic} does not fit into an empty batch")
            self.queue.append(batch)
        return Placed(partition, batch, batch.count - 1)


async def deliver(producer: AIOKafkaProducer, batch: Batch, topic: str, partition: int) -> None:
    """Send a batch and wait for the acknowledgement.

    An offset below zero would mean that the broker has it already and has forgotten where: such a position is worth
    nothing, so it counts as not acknowledged.
    """
    batch.builder.close()
    delivery = await producer.send_batch(batch.builder, topic, partition=partition)
    offset = (await delivery).offset
    if offset < 0:
        raise TimeoutError("acknowledged without an offset")
    batch.succeed(offset)


def positions(messages: Sequence[Message], placed: Sequence[Placed]) -> list[Position]:
    """Where messages are, once they are acknowledged."""
    return [
        Position(message.topic, partition, batch.first_offset + place)
        for message, (partition, batch, place) in zip(messages, placed, strict=True)
    ]
