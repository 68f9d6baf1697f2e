"""How long an aggregate and an executor need for the connectors of a filled log, and how much memory.

The clock runs from the start of the process until something was done on every partition: a command decided, an
attempt begun. The ceiling is a bare consumer that reads the same topic into a dictionary.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import Final, NamedTuple
from uuid import uuid4

import psutil

from benchmarks.bars import Figures
from benchmarks.connectors import webhook
from benchmarks.servers import Servers, servers
from connectory.domain.commands import CreateConnector
from connectory.domain.execution import ActionRequest
from connectory.infra import topics
from connectory.infra.crypto import KeyRing, SecretsVault
from connectory.infra.kafka import KafkaLog
from connectory.infra.log import Message, Tail, partition_for
from connectory.infra.messages import Messages

SIZES: Final = {"100k": 100_000, "1m": 1_000_000}
WRITE_AT_ONCE: Final = 2_000
LIMIT_SECONDS: Final = 300.0
POLL_SECONDS: Final = 0.05
NOWHERE: Final = "http://127.0.0.1:9"
"""A port that nobody listens on: an attempt is begun, and that is all that is waited for."""


class Restored(NamedTuple):
    seconds: float
    peak_gb: float


async def measure() -> Figures:
    figures: Figures = {}
    async with servers() as system:
        filled = 0
        for name, size in SIZES.items():
            await write_connectors(system, range(filled, size))
            filled = size
            figures[f"bare_read_{name}_s"] = await bare_read(system.log)
            for role, answers in (("aggregate", topics.CONNECTOR_EVENTS), ("executor", topics.ACTION_OUTCOMES)):
                restored = await restore(system, role, answers)
                figures |= {f"{role}_{name}_s": restored.seconds, f"{role}_{name}_gb": restored.peak_gb}
    return figures


async def write_connectors(system: Servers, numbers: range) -> None:
    """States as an aggregate leaves them. They share their secrets, which nobody opens here."""
    messages, now = Messages(), datetime.now(UTC)
    template = webhook("template", NOWHERE, SecretsVault(KeyRing(system.key)))
    states = (replace(template, connector_id=f"connector-{number}") for number in numbers)
    left = (messages.message(topics.CONNECTORS, each.connector_id, each, at=now) for each in states)
    async with system.log.writer() as writer:
        while batch := list(islice(left, WRITE_AT_ONCE)):
            await writer.write(batch)


async def bare_read(log: KafkaLog) -> float:
    """Seconds for all partitions, one after the other."""
    found: dict[bytes | None, bytes | None] = {}
    async with AsyncExitStack() as stack:
        begun = time.perf_counter()
        for tail in await tails(log, topics.CONNECTORS, stack):
            end = await tail.end_offset()
            while tail.position < end:
                found.update((record.key, record.value) for record in await tail.fetch(1.0))
        return time.perf_counter() - begun


async def restore(system: Servers, role: str, answers: str) -> Restored:
    async with AsyncExitStack() as stack:
        ends = await tails(system.log, answers, stack)
        before = [await tail.end_offset() for tail in ends]
        async with system.log.writer() as writer:
            await writer.write(work(system, len(ends)))
        begun = time.perf_counter()
        async with system.serve(role) as process, asyncio.timeout(LIMIT_SECONDS):
            watched, peak = psutil.Process(process.pid), 0
            for tail, end in zip(ends, before, strict=True):
                while await tail.end_offset() == end:
                    peak = max(peak, watched.memory_info().rss)
                    await asyncio.sleep(POLL_SECONDS)
            return Restored(time.perf_counter() - begun, peak / 1e9)


async def tails(log: KafkaLog, topic: str, stack: AsyncExitStack) -> Sequence[Tail]:
    partitions = range(await log.partition_count(topic))
    return [await stack.enter_async_context(log.tail(topic, each, 0)) for each in partitions]


def work(system: Servers, partitions: int) -> Sequence[Message]:
    """A command and a request for each partition, of a connector that there was not before."""
    messages, vault, now = Messages(), SecretsVault(KeyRing(system.key)), datetime.now(UTC)
    found: dict[int, list[Message]] = {}
    while len(found) < partitions:
        connector_id = f"new-{uuid4()}"
        partition = partition_for(connector_id.encode(), partitions)
        if partition not in found:
            new, request = creation(connector_id, vault, now), run_of(connector_id, now)
            found[partition] = [
                messages.message(topics.CONNECTOR_COMMANDS, connector_id, new, at=now),
                messages.message(topics.ACTION_REQUESTS, connector_id, request, at=now),
            ]
    return [message for each in found.values() for message in each]


def creation(connector_id: str, vault: SecretsVault, now: datetime) -> CreateConnector:
    wanted = webhook(connector_id, NOWHERE, vault)
    return CreateConnector(
        command_id=connector_id,
        connector_id=connector_id,
        space_id=wanted.space_id,
        at=now,
        by=None,
        name=wanted.name,
        connector_type_id=wanted.connector_type_id,
        config=wanted.config,
        secrets=wanted.secrets,
    )


def run_of(connector_id: str, now: datetime) -> ActionRequest:
    return ActionRequest(
        request_id=connector_id, space_id="default", connector_id=connector_id, params={"body": "x"}, requested_at=now
    )
