"""How many queries a second one gateway answers, over HTTP and with authentication.

The ceiling is an aiohttp handler that does nothing, asked by the same client over as many connections: on the standard
event loop, as the server comes, and on uvloop, which the gateway runs on.
"""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import NamedTuple

import psutil

from benchmarks.bars import Figures
from benchmarks.http_load import NUMBERS
from benchmarks.processes import line, processor_seconds, python
from benchmarks.rebuild import created
from benchmarks.servers import RETENTION, Servers, servers
from connectory.infra.postgres import PostgresRowStore
from connectory_projections.connectors_by_space import CONNECTORS_BY_SPACE, apply
from connectory_projections.model import Sourced

PASSWORD = "benchmark-password"
AUTHORIZATION = "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
CONNECTIONS = 32
REQUESTS = 30_000
LISTS = 1_000
SIZES = {"default": NUMBERS, "small": 100}
"""Connectors of each space; the list of the small one is asked for."""

START_SECONDS = 60.0
POLL_SECONDS = 0.05


class Target(NamedTuple):
    process: psutil.Process
    port: int


async def measure() -> Figures:
    """Ceilings, gateway and ceilings again, so that a machine that slows down slows both."""
    async with servers() as system:
        await fill(system)
        async with empty_handler("asyncio") as empty, empty_handler("uvloop") as faster, gateway(system) as served:
            before = [await load(each, "/", REQUESTS) for each in (empty, faster)]
            queries = await answered(served)
            after = [await load(each, "/", REQUESTS) for each in (empty, faster)]
    bare, on_uvloop = (_mean(first, second) for first, second in zip(before, after, strict=True))
    return {
        **queries,
        "empty_handler_per_s": bare["per_s"],
        "get_one_ratio": queries["get_one_per_s"] / bare["per_s"],
        "empty_handler_processor_us": bare["processor_us"],
        "empty_handler_on_uvloop_per_s": on_uvloop["per_s"],
        "get_one_ratio_on_uvloop": queries["get_one_per_s"] / on_uvloop["per_s"],
        "empty_handler_on_uvloop_processor_us": on_uvloop["processor_us"],
    }


async def answered(served: Target) -> Figures:
    one = await load(served, "/api/actions/connector/default-{number}", REQUESTS)
    listed = await load(served, "/s/small/api/actions/connectors", LISTS)
    page = await load(served, "/api/connectory/event_log?connector_id=default-{number}", REQUESTS // 3)
    return {
        "get_one_per_s": one["per_s"],
        "get_one_p50_ms": one["p50_ms"],
        "get_one_p99_ms": one["p99_ms"],
        "get_one_processor_us": one["processor_us"],
        "list_of_100_per_s": listed["per_s"],
        "list_of_100_p99_ms": listed["p99_ms"],
        "empty_event_log_page_per_s": page["per_s"],
    }


def _mean(first: Figures, second: Figures) -> Figures:
    return {name: (first[name] + second[name]) / 2 for name in first}


async def fill(system: Servers) -> None:
    store = PostgresRowStore(system.database, retention=RETENTION)
    now = datetime.now(UTC)
    events = [created(space, number, now) for space, size in SIZES.items() for number in range(size)]
    changes = [change for each in events for change in apply(Sourced(each, "", 0, 0))]
    expected = await store.next_offset(CONNECTORS_BY_SPACE, 0)
    await store.apply(CONNECTORS_BY_SPACE, 0, changes, expected=expected, next_offset=expected + 1)


@asynccontextmanager
async def empty_handler(loop: str) -> AsyncIterator[Target]:
    async with python("-m", "benchmarks.empty_handler", loop) as process:
        yield Target(psutil.Process(process.pid), int(await line(process)))


@asynccontextmanager
async def gateway(system: Servers) -> AsyncIterator[Target]:
    """A gateway that answers queries."""
    port = free_port()
    data_dir = str(system.directory / "gateway")
    options = ("--port", str(port), "--data-dir", data_dir)
    async with system.serve("gateway", *options, CONNECTORY_ADMIN_PASSWORD=PASSWORD) as process:
        target = Target(psutil.Process(process.pid), port)
        async with asyncio.timeout(START_SECONDS):
            while not await answers(target):
                if process.returncode is not None:
                    raise RuntimeError(system.said("gateway"))
                await asyncio.sleep(POLL_SECONDS)
        yield target


async def answers(target: Target) -> bool:
    try:
        await load(target, "/api/actions/connector/default-{number}", 100)
    except (OSError, RuntimeError):
        return False
    return True


async def load(target: Target, path: str, count: int) -> Figures:
    arguments = ("127.0.0.1", str(target.port), path, str(count), str(CONNECTIONS), AUTHORIZATION)
    used = processor_seconds(target.process)
    async with python("-m", "benchmarks.http_load", *arguments) as process:
        figures: Figures = json.loads(await line(process))
    return {**figures, "processor_us": (processor_seconds(target.process) - used) / count * 1e6}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
