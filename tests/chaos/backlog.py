"""A large backlog for one executor, and how much memory it takes; then what the roles do while the servers are away."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from connectory.infra.embedded import ServerProcess
from tests.chaos.campaign import END_SECONDS, STAYING, Findings, Say
from tests.chaos.changing import Changing
from tests.chaos.cluster import Cluster, RoleProcess, open_cluster
from tests.chaos.load import Load, Mix
from tests.chaos.sink import open_sink
from tests.chaos.system import observe

MEBIBYTE = 1 << 20
SAMPLE_SECONDS = 0.5
AWAY_SECONDS = 10.0
SETTLE_SECONDS = 3.0
"""After a server has gone, before what the roles do is measured: they may take a moment to notice."""

MOST_MEMORY = 400.0
"""MiB that an executor may grow to, whatever waits for it."""

BUSY = 0.5
"""Share of a core from which on a role that can do nothing is said to be busy."""


@dataclass(frozen=True, kw_only=True)
class Weight:
    """`memory` are samples of the executor's resident memory in MiB; `idle` is what share of a core each role took."""

    memory: list[float] = field(default_factory=list)
    idle: dict[str, float] = field(default_factory=dict)

    def problems(self) -> Mapping[str, list[str]]:
        found = {
            "memory": [f"{max(self.memory):.0f} MiB"] if max(self.memory) > MOST_MEMORY else [],
            "busy while a server is away": [
                f"{name}: {share:.0%}" for name, share in self.idle.items() if share > BUSY
            ],
        }
        return {name: each for name, each in found.items() if each}


async def backlog(seed: int, requests: int, directory: Path, say: Say) -> tuple[Findings, Weight]:
    """Publish so many with no executor there, and start one."""
    chance = random.Random(seed)
    began = time.monotonic()
    weight = Weight()
    async with open_sink(chance) as sink, open_cluster(directory) as cluster:
        changing = Changing(cluster.client, sink, chance)
        await changing.create_all(STAYING)
        for each in cluster.executors():
            if each.runs:
                await cluster.end(each)
        load = Load(Mix(connector_ids=STAYING).draw(requests, chance), chance, cluster.client, ahead=requests)
        async with cluster.log() as log:
            async with load.running(log):
                load.go_on()
                await load.all_published(END_SECONDS)
                say(f"{requests} requests wait, and an executor starts")
                await _work_off(cluster, load, weight, requests)
            say("all is over: reading what is left")
            history = await observe(cluster, log, sink, load, changing)
        say("the broker, then Postgres, is taken away")
        await _measure_idle(cluster, weight)
        findings = Findings(
            history=history,
            faults=Counter(),
            seconds=time.monotonic() - began,
            exit_codes=cluster.exit_codes,
            printed=cluster.printed(),
        )
    return findings, weight


async def _work_off(cluster: Cluster, load: Load, weight: Weight, requests: int) -> None:
    executor = cluster.executors()[0]
    executor.start()
    async with _sampled(executor, weight):
        await load.all_ended(END_SECONDS + requests / 100)


@asynccontextmanager
async def _sampled(role: RoleProcess, weight: Weight) -> AsyncIterator[None]:
    async def sample() -> None:
        while True:
            weight.memory.append(role.process.memory_info().rss / MEBIBYTE)
            await asyncio.sleep(SAMPLE_SECONDS)

    async with asyncio.TaskGroup() as tasks:
        sampling = tasks.create_task(sample())
        yield
        sampling.cancel()


async def _measure_idle(cluster: Cluster, weight: Weight) -> None:
    servers: dict[str, ServerProcess] = {"broker": cluster.kafka.process, "Postgres": cluster.postgres.process}
    for name, server in servers.items():
        await server.kill()
        await asyncio.sleep(SETTLE_SECONDS)
        running = [each for each in cluster.roles.values() if each.runs]
        before = {each.name: _processor_seconds(each) for each in running}
        await asyncio.sleep(AWAY_SECONDS)
        for each in running:
            share = (_processor_seconds(each) - before[each.name]) / AWAY_SECONDS
            weight.idle[f"{each.name} without {name}"] = share
        await server.start()


def _processor_seconds(role: RoleProcess) -> float:
    times = role.process.cpu_times()
    return float(times.user + times.system)
