"""The client library, aiokafka: the one place of this package that imports it, but for requests in `tenure`.

It also holds what the library has no public way for. Whoever raises its version looks here first.
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from typing import Any

from aiokafka import (  # type: ignore[import-untyped]
    AIOKafkaConsumer,
    AIOKafkaProducer,
    ConsumerRecord,
    TopicPartition,
)
from aiokafka import ConsumerRebalanceListener as _ConsumerRebalanceListener
from aiokafka import errors as kafka_errors
from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # type: ignore[import-untyped]
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType  # type: ignore[import-untyped]
from aiokafka.coordinator.assignors.range import RangePartitionAssignor  # type: ignore[import-untyped]
from aiokafka.producer.message_accumulator import BatchBuilder  # type: ignore[import-untyped]

__all__ = [
    "AIOKafkaAdminClient",
    "AIOKafkaConsumer",
    "AIOKafkaProducer",
    "BatchBuilder",
    "ConfigResource",
    "ConfigResourceType",
    "ConsumerRebalanceListener",
    "ConsumerRecord",
    "NewTopic",
    "RangePartitionAssignor",
    "TopicPartition",
    "committed_with_metadata",
    "generation_of",
    "kafka_errors",
    "set_identity",
    "start_client",
    "stop_consumer",
    "stop_producer",
]

ConsumerRebalanceListener: Any = _ConsumerRebalanceListener
"""Its methods may be coroutines, which its annotations do not say."""

PATIENCE = 5.0
"""Seconds for an orderly end. With the broker away the library's own `stop` would wait for as long as it is."""

GIVE_UP = 1.0
"""Seconds that a start which is given up may still take."""

logger = logging.getLogger(__name__)


async def committed_with_metadata(consumer: AIOKafkaConsumer, place: TopicPartition) -> tuple[int, str] | None:
    """The group's offset and metadata of a partition. `committed` of the library leaves the metadata out."""
    found = await _coordinator(consumer).fetch_committed_offsets([place])
    return (found[place].offset, found[place].metadata or "") if place in found else None


def generation_of(consumer: AIOKafkaConsumer) -> int:
    """The generation of the group that the consumer is in now, below 1 when it is in none.

    A commit without a generation would be taken as one from outside the group, so it must not be sent.
    """
    return int(_coordinator(consumer).generation)


def set_identity(builder: BatchBuilder, producer_id: int, epoch: int, sequence: int) -> None:
    """Say who writes a batch, and the number of its first record. For a producer that is not idempotent itself."""
    builder._set_producer_state(producer_id, epoch, sequence)  # noqa: SLF001


def _coordinator(consumer: AIOKafkaConsumer) -> Any:
    return consumer._coordinator  # noqa: SLF001


async def start_client(client: AIOKafkaConsumer | AIOKafkaProducer | AIOKafkaAdminClient) -> None:
    """Start one. Whoever gives up waits a moment for the end of it: the library would leave a connection open that it
    has just asked for metadata.
    """
    starting = asyncio.ensure_future(client.start())
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        try:
            await asyncio.wait([starting], timeout=GIVE_UP)
        finally:
            starting.cancel()
        raise


async def stop_producer(producer: AIOKafkaProducer, patience: float = PATIENCE) -> None:
    """Flush for up to `patience` seconds and close; what is left is given up.

    `stop` of the library would leave a task behind that waits for the rest for ever.
    """
    producer._closed = True  # noqa: SLF001
    await _ends(producer.flush(), patience)
    await _ends(producer._sender.close(), PATIENCE)  # noqa: SLF001
    await _ends(producer.client.close(), PATIENCE)


async def stop_consumer(consumer: AIOKafkaConsumer) -> None:
    """Leave the group and close. `stop` of the library may wait in vain for a group to be joined first."""
    if await _ends(consumer.stop(), PATIENCE):
        return
    for step in _remaining_steps(consumer):
        await _ends(step, PATIENCE)


def _remaining_steps(consumer: AIOKafkaConsumer) -> Iterable[Coroutine[Any, Any, None]]:
    coordinator, fetcher = _coordinator(consumer), consumer._fetcher  # noqa: SLF001
    if hasattr(coordinator, "group_id"):
        yield coordinator._stop_heartbeat_task()  # noqa: SLF001
        yield coordinator._stop_commit_offsets_refresh_task()  # noqa: SLF001
        yield coordinator._maybe_leave_group()  # noqa: SLF001
    if fetcher is not None:
        yield fetcher.close()
    yield consumer._client.close()  # noqa: SLF001


async def _ends(step: Coroutine[Any, Any, None], patience: float) -> bool:
    """Run a step of closing in a task of its own: some raise a cancellation that nobody has asked for."""
    task = asyncio.create_task(step)
    try:
        await asyncio.wait([task], timeout=patience)
    finally:
        task.cancel()
    await asyncio.wait([task], timeout=1.0)
    if not task.done() or task.cancelled():
        return False
    if error := task.exception():
        logger.debug("Closing a Kafka client: %r", error)
        return False
    return True
