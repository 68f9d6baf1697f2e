"""How many events a second the command `connectory projections rebuild` folds into a second copy.

The events of the log over the time that the command takes as a whole: start, comparison and swap included. The ceiling
is a bare consumer that reads the same records.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from itertools import islice
from typing import Final

from benchmarks.bars import Figures
from benchmarks.outcomes import write_outcomes
from benchmarks.projected import until_applied
from benchmarks.restore import tails
from benchmarks.servers import Servers, servers
from connectory.domain.events import ConnectorCreated
from connectory.domain.secrets import SealedSecrets
from connectory.infra import topics
from connectory.infra.kafka import KafkaLog
from connectory.infra.messages import Messages
from connectory_projections import CONNECTORS_BY_SPACE, EVENT_LOG
from connectory_projections.model import AnyProjection

EVENTS: Final = 400_000
WRITE_AT_ONCE: Final = 2_000
LIMIT_SECONDS: Final = 300.0


async def measure() -> Figures:
    """The live tables are filled first: a rebuild goes as far as they have come."""
    figures: Figures = {}
    async with servers() as system:
        await write_outcomes(system.log, EVENTS)
        await write_events(system.log, EVENTS)
        async with system.serve("projector"), asyncio.timeout(LIMIT_SECONDS):
            for projection in (EVENT_LOG, CONNECTORS_BY_SPACE):
                await until_applied(system.database, projection, EVENTS)
        for projection in (EVENT_LOG, CONNECTORS_BY_SPACE):
            rate, read = await rebuild(system, projection), await bare_read(system.log, projection.topic)
            figures |= {f"{projection.name}_per_s": rate, f"{projection.name}_bare_read_per_s": read}
            figures[f"{projection.name}_ratio"] = rate / read
    return figures


async def write_events(log: KafkaLog, count: int) -> None:
    """A connector created by each event."""
    messages, now = Messages(), datetime.now(UTC)
    events = (created("default", number, now) for number in range(count))
    left = (messages.message(topics.CONNECTOR_EVENTS, each.connector_id, each, at=now) for each in events)
    async with log.writer() as writer:
        while batch := list(islice(left, WRITE_AT_ONCE)):
            await writer.write(batch)


def created(space_id: str, number: int, at: datetime) -> ConnectorCreated:
    return ConnectorCreated(
        connector_id=f"{space_id}-{number}",
        space_id=space_id,
        version=1,
        name=f"orders {number}",
        connector_type_id=".webhook",
        config={"url": f"https://example.org/{number}", "method": "post", "hasAuth": True},
        secrets=SealedSecrets({"user": b"x" * 40, "password": b"x" * 40}),
        at=at,
        by="admin",
        command_id=f"command-{number}",
    )


async def rebuild(system: Servers, projection: AnyProjection) -> float:
    begun = time.perf_counter()
    async with system.command("projections", "rebuild", projection.name, name="rebuild") as process:
        said, _ = await asyncio.wait_for(process.communicate(), LIMIT_SECONDS)
    if process.returncode != 0 or "the same as before" not in said.decode():
        raise RuntimeError(f"{said.decode()}\n{system.said('rebuild')}")
    return EVENTS / (time.perf_counter() - begun)


async def bare_read(log: KafkaLog, topic: str) -> float:
    """Records per second, one partition after the other."""
    async with AsyncExitStack() as stack:
        begun, records = time.perf_counter(), 0
        for tail in await tails(log, topic, stack):
            end = await tail.end_offset()
            while tail.position < end:
                records += len(await tail.fetch(1.0))
        return records / (time.perf_counter() - begun)
