"""How long things take on an idle system, one after the other: create, execute, and from publishing to the target."""

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

import aiohttp

from benchmarks.processes import line, python
from connectory.client import ActionRequestPublisher, ConnectoryClient, NewActionRequest
from connectory.infra.kafka import open_kafka_log
from connectory.infra.settings import KafkaSettings

ROUNDS = 300
PER_SECOND = 50
WARM_UP = 50
START_SECONDS = 120.0
POLL_SECONDS = 0.1


async def measure() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as directory:
        data_dir = Path(directory)
        async with python("-m", "benchmarks.sink") as sink, running(data_dir) as system:
            target = f"http://127.0.0.1:{await line(sink)}"
            password = (data_dir / "admin-password").read_text().strip()
            async with ConnectoryClient(system["url"], "admin", password) as client:
                created = await timed(lambda number: create(client, target, number))
                connector = await client.create_connector("target", ".webhook", config=webhook(target))
                executed = await timed(lambda _: client.execute(connector.id, {"body": "x"}))
            delays = await publish_to_sink(system["kafka_bootstrap_servers"], connector.id, target)
    return {**spread("create", created), **spread("execute", executed), **spread("publish_to_sink", delays)}


@asynccontextmanager
async def running(data_dir: Path) -> AsyncIterator[dict[str, Any]]:
    """`connectory up` as a process, and what it says about itself."""
    arguments = ("-m", "connectory.cli", "up", "--data-dir", str(data_dir), "--port", "5699")
    async with python(*arguments, log=data_dir / "up.log") as process:
        async with asyncio.timeout(START_SECONDS):
            while not (data_dir / "runtime.json").exists():
                if process.returncode is not None:
                    raise RuntimeError((data_dir / "up.log").read_text())
                await asyncio.sleep(POLL_SECONDS)
        yield json.loads((data_dir / "runtime.json").read_text())


def webhook(url: str) -> dict[str, Any]:
    return {"url": url, "method": "post", "hasAuth": False}


async def create(client: ConnectoryClient, target: str, number: int) -> None:
    await client.create_connector(f"connector {number}", ".webhook", config=webhook(target))


async def timed(action: Callable[[int], Awaitable[object]]) -> list[float]:
    """Milliseconds of each round, after a warm-up."""
    times = []
    for number in range(WARM_UP + ROUNDS):
        begun = time.perf_counter()
        await action(number)
        times.append((time.perf_counter() - begun) * 1000)
    return times[WARM_UP:]


async def publish_to_sink(bootstrap_servers: str, connector_id: str, target: str) -> list[float]:
    """Milliseconds from just before publishing to the arrival at the target, at a steady rate."""
    async with (
        open_kafka_log(KafkaSettings(bootstrap_servers=bootstrap_servers)) as log,
        ActionRequestPublisher.over(log) as publisher,
        asyncio.TaskGroup() as publishing,
    ):
        begun = time.perf_counter()
        for number in range(WARM_UP + ROUNDS):
            await asyncio.sleep(max(0.0, begun + number / PER_SECOND - time.perf_counter()))
            body = f"sent:{time.time()};"
            publishing.create_task(
                publisher.publish(NewActionRequest(connector_id=connector_id, params={"body": body}))
            )
    async with aiohttp.ClientSession() as session:
        return await delays_at(session, target, WARM_UP + ROUNDS)


async def delays_at(session: aiohttp.ClientSession, target: str, count: int) -> list[float]:
    delays: list[float] = []
    async with asyncio.timeout(START_SECONDS):
        while len(delays) < count:
            async with session.get(f"{target}/times") as response:
                delays.extend(await response.json())
            await asyncio.sleep(POLL_SECONDS)
    return delays[WARM_UP:]


def spread(name: str, values: Sequence[float]) -> dict[str, float]:
    percentiles = quantiles(values, n=100)
    return {f"{name}_p{percent}_ms": percentiles[percent - 1] for percent in (50, 95, 99)}
