"""What one dead target costs the others: 100 connectors, of which one's target takes requests and never answers.

Throughput of the other 99, from the first of their outcomes to the last, against a run in which all targets answer.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from benchmarks.bars import Figures
from benchmarks.connectors import webhook
from benchmarks.processes import line, python
from benchmarks.restore import tails
from benchmarks.servers import Servers, servers
from connectory.client import ActionRequestPublisher, NewActionRequest
from connectory.infra import topics
from connectory.infra.crypto import KeyRing, SecretsVault
from connectory.infra.log import Record, Tail
from connectory.infra.messages import Messages

CONNECTORS: Final = 100
REQUESTS: Final = 40_000
SUSPECT: Final = "connector-0"
BODY: Final = "x" * 1000
LIMIT_SECONDS: Final = 300.0


async def measure() -> Figures:
    """Each run on servers of its own; the healthy one before and after, so that a slow machine slows both."""
    before, dead, after = await run(is_dead=False), await run(is_dead=True), await run(is_dead=False)
    healthy = (before + after) / 2
    return {"others_per_s": dead, "others_of_all_healthy_per_s": healthy, "ratio": dead / healthy}


async def run(*, is_dead: bool) -> float:
    """Requests per second of all connectors but the suspect."""
    async with servers() as system, python("-m", "benchmarks.sink") as sink, never_answering() as dead:
        healthy = f"http://127.0.0.1:{await line(sink)}"
        await prepare(system, healthy, dead if is_dead else healthy)
        async with system.serve("executor"), asyncio.timeout(LIMIT_SECONDS):
            return await throughput(system)


@asynccontextmanager
async def never_answering() -> AsyncIterator[str]:
    """A target that takes connections and requests."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.read(1 << 16):
                pass
        finally:
            writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def prepare(system: Servers, healthy: str, suspect: str) -> None:
    """Put the connectors and the whole backlog on the log, every connector in turn."""
    messages, vault = Messages(), SecretsVault(KeyRing(system.key))
    ids = [f"connector-{number}" for number in range(CONNECTORS)]
    states = [webhook(each, suspect if each == SUSPECT else healthy, vault) for each in ids]
    async with system.log.writer() as writer:
        await writer.write(
            [messages.message(topics.CONNECTORS, each.connector_id, each, at=each.created_at) for each in states]
        )
    async with ActionRequestPublisher.over(system.log) as publisher:
        await publisher.publish_many(
            NewActionRequest(connector_id=ids[number % CONNECTORS], params={"body": BODY}) for number in range(REQUESTS)
        )


async def throughput(system: Servers) -> float:
    wanted = 2 * REQUESTS * (CONNECTORS - 1) // CONNECTORS
    async with AsyncExitStack() as stack:
        counted = Counted()
        async with asyncio.TaskGroup() as counting:
            tasks = [
                counting.create_task(counted.count(tail))
                for tail in await tails(system.log, topics.ACTION_OUTCOMES, stack)
            ]
            await counted.until(wanted)
            for task in tasks:
                task.cancel()
    return counted.per_second() / 2


class Counted:
    """Outcomes of the others: two for each request."""

    def __init__(self) -> None:
        self._outcomes = 0
        self._begun = self._ended = 0.0
        self._more = asyncio.Event()

    async def count(self, tail: Tail) -> None:
        while True:
            self._add(sum(is_of_another(record) for record in await tail.fetch(1.0)))

    async def until(self, wanted: int) -> None:
        while self._outcomes < wanted:
            self._more.clear()
            await self._more.wait()

    def per_second(self) -> float:
        return self._outcomes / (self._ended - self._begun)

    def _add(self, outcomes: int) -> None:
        if outcomes:
            self._begun = self._begun or time.perf_counter()
            self._ended = time.perf_counter()
            self._outcomes += outcomes
            self._more.set()


def is_of_another(record: Record) -> bool:
    return record.key != SUSPECT.encode()
