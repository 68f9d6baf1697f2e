"""A run from beginning to end: requests all the while, faults in between, then everything there is to see of it."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from connectory.testing.history import History, violations
from tests.chaos.changing import Changing
from tests.chaos.cluster import open_cluster
from tests.chaos.faults import ClusterFaults, Faults, UpFaults
from tests.chaos.installation import Installation
from tests.chaos.load import Load, Mix
from tests.chaos.plan import Fault, Round
from tests.chaos.sink import Mood, Sink, open_sink
from tests.chaos.system import System, observe

STAYING = [f"hook-{number}" for number in range(8)]
MOVING = [f"moving-{number}" for number in range(3)]
SLOW = STAYING[:2]
TURN_SECONDS = 20.0
"""After which a fault comes, though the requests that it was to come after do not."""

END_SECONDS = 300.0

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """What is to be done: so many requests, a share of them with ordering keys, and the faults in between."""

    seed: int
    requests: int
    rounds: Sequence[Round]
    ordered: float = 0.3


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What was there to see. `away` counts writes of requests that were not acknowledged and had to be repeated.

    `outlived` are servers that were there still when the `up` that had started them was followed by another.
    """

    history: History
    faults: Counter[str]
    seconds: float
    exit_codes: Sequence[int] = ()
    printed: Sequence[str] = ()
    outlived: Sequence[str] = ()
    away: int = 0

    @property
    def tracebacks(self) -> list[str]:
        """The lines after which something unexpected was printed."""
        return [line for text in self.printed for line in _before_tracebacks(text)]

    @property
    def problems(self) -> dict[str, list[str]]:
        """Everything that must not be, by the name of the check."""
        others = {
            "tracebacks": self.tracebacks,
            "ended badly": [f"exit code {code}" for code in self.exit_codes if code],
            "outlived": list(self.outlived),
        }
        return {**violations(self.history), **{name: found for name, found in others.items() if found}}


async def on_cluster(campaign: Campaign, directory: Path, say: Say) -> Findings:
    """Run it on separate processes, in an empty directory."""
    async with open_sink(random.Random(campaign.seed)) as sink, open_cluster(directory) as cluster:
        run = Run(campaign, cluster, ClusterFaults(cluster, sink, STAYING), sink, say)
        return replace(await run.findings(), exit_codes=[*cluster.exit_codes, *cluster.died()])


async def on_up(campaign: Campaign, directory: Path, say: Say) -> Findings:
    """Run it on a `connectory up`, in an empty directory."""
    installation = Installation(directory / "data")
    async with open_sink(random.Random(campaign.seed)) as sink:
        try:
            await installation.start()
            run = Run(campaign, installation, UpFaults(installation), sink, say)
            findings = await run.findings()
            outlived = [each.name() for each in installation.outlived]
            return replace(findings, exit_codes=installation.exit_codes, outlived=outlived)
        finally:
            await installation.stop()


@dataclass(frozen=True)
class Run:
    """A campaign under way on some installation."""

    campaign: Campaign
    system: System
    faults: Faults
    sink: Sink
    say: Say

    async def findings(self) -> Findings:
        chance = random.Random(self.campaign.seed)
        began = time.monotonic()
        self.sink.usual.update(dict.fromkeys(SLOW, Mood.SLOW))
        changing = Changing(self.system.client, self.sink, chance)
        await changing.create_all(STAYING + MOVING)
        mix = Mix(connector_ids=STAYING, moving=MOVING, ordered=self.campaign.ordered)
        # Not the same chance as for the changes: then time would decide who draws what.
        load = Load(mix.draw(self.campaign.requests, chance), random.Random(self.campaign.seed), self.system.client)
        async with self.system.log() as log:
            async with load.running(log), changing.running(MOVING):
                await self._go_through(load)
            self.say("all is over: reading what is left")
            history = await observe(self.system, log, self.sink, load, changing)
        return Findings(
            history=history,
            faults=Counter(str(fault.kind) for each in self.campaign.rounds for fault in each),
            seconds=time.monotonic() - began,
            printed=self.system.printed(),
            away=load.away,
        )

    async def _go_through(self, load: Load) -> None:
        rounds = self.campaign.rounds
        share = self.campaign.requests // (sum(map(len, rounds)) + 1)
        for number, each in enumerate(rounds, start=1):
            self.say(f"round {number} of {len(rounds)}: " + "; ".join(map(str, each)))
            async with asyncio.TaskGroup() as tasks:
                for fault in each:
                    load.go_on(share)
                    tasks.create_task(self._in_its_turn(fault, len(each) * share))
            self.say(f"  over: {len(load.published)} published, {len(load.ended)} ended, {len(self.sink.calls)} calls")
        load.go_on()
        await load.all_ended(END_SECONDS)

    async def _in_its_turn(self, fault: Fault, requests: int) -> None:
        with suppress(TimeoutError):
            await self.sink.sees_more(int(requests * fault.after), TURN_SECONDS)
        await self.faults.inject(fault)


def _before_tracebacks(text: str) -> list[str]:
    lines = text.splitlines()
    return [lines[max(0, number - 1)] for number, line in enumerate(lines) if line.startswith("Traceback")]
