"""How many requests a second one executor carries out, records of the outcomes included; and two that share them."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import psutil

from benchmarks.ceiling import BODY, CONTENT_TYPE, TARGETS
from benchmarks.connectors import webhook
from benchmarks.processes import line, processor_seconds, python
from connectory.client import ActionRequestPublisher, NewActionRequest
from connectory.infra import topics
from connectory.infra.crypto import KeyRing, SecretsVault, generate_key
from connectory.infra.embedded import embedded_kafka
from connectory.infra.kafka import KafkaLog, open_kafka_log
from connectory.infra.log import Tail
from connectory.infra.messages import Messages
from connectory.infra.settings import ExecutorSettings, KafkaSettings

REQUESTS = 40_000
CONCURRENCY = ExecutorSettings().in_flight
"""Of the ceiling: as many requests in flight as the executor has."""

WARM_UP = REQUESTS // 10
"""Requests until the clock starts: an executor takes its partitions one after the other."""

POLL_SECONDS = 0.05
LIMIT_SECONDS = 60.0


async def measure() -> dict[str, float]:
    """Ceilings, executor and ceilings again, so that a machine that slows down slows both."""
    with tempfile.TemporaryDirectory() as directory:
        data_dir = Path(directory)
        async with embedded_kafka(data_dir) as kafka, python("-m", "benchmarks.sink") as sink:
            url = f"http://127.0.0.1:{await line(sink)}"
            key = generate_key()
            async with open_kafka_log(KafkaSettings(bootstrap_servers=kafka.bootstrap_servers)) as log:
                await prepare(log, url, key)
                env = {
                    "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
                    "XPACK_ENCRYPTEDSAVEDOBJECTS_ENCRYPTIONKEY": key,
                }
                before = [await ceiling(url, loop) for loop in ("asyncio", "uvloop")]
                rate, processor_us = await executors(1, log, env, data_dir / "executor.log")
                rate_of_two, _ = await executors(2, log, env, data_dir / "executor.log")
                after = [await ceiling(url, loop) for loop in ("asyncio", "uvloop")]
    bare, on_uvloop = ((first + second) / 2 for first, second in zip(before, after, strict=True))
    return {
        "executor_per_s": rate,
        "ceiling_per_s": bare,
        "ratio": rate / bare,
        "ceiling_on_uvloop_per_s": on_uvloop,
        "ratio_on_uvloop": rate / on_uvloop,
        "executor_processor_us_per_request": processor_us,
        "two_executors_per_s": rate_of_two,
        "two_executors_to_one": rate_of_two / rate,
    }


async def prepare(log: KafkaLog, url: str, key: str) -> None:
    """Put the connectors on the log."""
    await log.create_topics(topics.topic_specs(timedelta(days=1)))
    messages, vault = Messages(), SecretsVault(KeyRing(key))
    states = [
        webhook(f"connector-{number}", url, vault, headers={"Content-Type": CONTENT_TYPE}) for number in range(TARGETS)
    ]
    async with log.writer() as writer:
        await writer.write(
            [messages.message(topics.CONNECTORS, each.connector_id, each, at=each.created_at) for each in states]
        )


async def publish_backlog(log: KafkaLog) -> None:
    body = BODY.decode()
    async with ActionRequestPublisher.over(log) as publisher:
        requests = (
            NewActionRequest(connector_id=f"connector-{number % TARGETS}", params={"body": body})
            for number in range(REQUESTS)
        )
        await publisher.publish_many(requests)


async def ceiling(url: str, loop: str) -> float:
    async with python("-m", "benchmarks.ceiling", url, str(REQUESTS), str(CONCURRENCY), loop) as process:
        return float(await line(process))


async def executors(count: int, log: KafkaLog, env: Mapping[str, str], errors: Path) -> tuple[float, float]:
    """Carry out a backlog by so many processes.

    Returns requests per second once they have their partitions and are warm, and microseconds of processor time for
    each, that of all processes together.
    """
    await publish_backlog(log)
    async with outcome_tails(log) as tails, AsyncExitStack() as stack, asyncio.timeout(LIMIT_SECONDS):
        before = await total(tails)
        serve = [python("-m", "connectory.cli", "serve", "executor", env=env, log=errors) for _ in range(count)]
        started = [await stack.enter_async_context(each) for each in serve]
        processes = [psutil.Process(each.pid) for each in started]
        await written(tails, before + 2 * WARM_UP)
        begun, used, already = time.perf_counter(), processor_time(processes), await total(tails)
        await written(tails, before + 2 * REQUESTS + len(tails))
        requests = REQUESTS - (already - before) / 2
        used = processor_time(processes) - used
        return requests / (time.perf_counter() - begun), used / requests * 1e6


def processor_time(processes: Iterable[psutil.Process]) -> float:
    return sum(map(processor_seconds, processes))


@asynccontextmanager
async def outcome_tails(log: KafkaLog) -> AsyncIterator[Sequence[Tail]]:
    async with AsyncExitStack() as stack:
        partitions = range(await log.partition_count(topics.ACTION_OUTCOMES))
        yield [await stack.enter_async_context(log.tail(topics.ACTION_OUTCOMES, each, 0)) for each in partitions]


async def total(tails: Sequence[Tail]) -> int:
    return sum(await asyncio.gather(*(tail.end_offset() for tail in tails)))


async def written(tails: Sequence[Tail], count: int) -> None:
    """Wait until that many records are on the log: two for each request, and one for the claim to each partition.

    Where partitions change hands there are some claims more, a few in tens of thousands.
    """
    reached = 0
    while reached < count:
        await asyncio.sleep(POLL_SECONDS)
        reached = await total(tails)
