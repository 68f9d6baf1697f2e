"""What is to go wrong, drawn from a seed before the run: rounds of faults, those of a round at the same time."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Faults by what they hit."""

    KILL_EXECUTOR = "executor killed"
    KILL_AGGREGATE = "aggregate killed"
    KILL_GATEWAY = "gateway killed"
    KILL_PROJECTOR = "projector killed"
    KILL_BROKER = "broker killed"
    RESTART_POSTGRES = "Postgres restarted"
    FREEZE_EXECUTOR = "executor stopped for longer than its session"
    REBALANCE = "executors 1 → 3 → 1"
    HANGING = "target hangs"
    RESETTING = "target resets connections"
    SLOW = "target answers slowly"
    FAILING = "target answers 500"
    BUSY = "target answers 429"
    KILL_UP = "up killed"
    KILL_UP_AND_SERVERS = "up and its servers killed"
    TERMINATE_UP = "up asked to end"


OF_TARGET = (Kind.HANGING, Kind.RESETTING, Kind.SLOW, Kind.FAILING, Kind.BUSY)
OF_UP = (Kind.KILL_UP, Kind.KILL_UP_AND_SERVERS, Kind.TERMINATE_UP)
OF_CLUSTER = tuple(kind for kind in Kind if kind not in OF_UP)
EXCLUSIVE = (*OF_UP, Kind.KILL_EXECUTOR, Kind.FREEZE_EXECUTOR, Kind.REBALANCE)

SHORTEST, LONGEST = 0.5, 4.0
"""Seconds that something is away or behaves badly."""

FROZEN = 13.0
"""Seconds: a group gives up a member that is silent for ten."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Each comes with a share of the requests: `after` is how much of it the target has seen by then.

    `which` picks among several that can be hit.
    """

    kind: Kind
    after: float
    seconds: float
    which: int

    def __str__(self) -> str:
        return f"{self.kind} for {self.seconds:.1f} s after {self.after:.0%}"


Round = Sequence[Fault]


def draw(kinds: Sequence[Kind], chance: random.Random) -> list[Round]:
    """Deal every kind once, in rounds in which no two hit the same processes."""
    deck = chance.sample(kinds, len(kinds))
    alone = [kind for kind in deck if kind in EXCLUSIVE]
    others = [kind for kind in deck if kind not in EXCLUSIVE]
    return [
        [_fault(kind, chance) for kind in (each, *others[number :: len(alone)])] for number, each in enumerate(alone)
    ]


def _fault(kind: Kind, chance: random.Random) -> Fault:
    least = FROZEN if kind is Kind.FREEZE_EXECUTOR else SHORTEST
    return Fault(
        kind=kind,
        after=round(chance.uniform(0.05, 0.5), 2),
        seconds=round(least + chance.uniform(0.0, LONGEST - SHORTEST), 1),
        which=chance.randrange(1000),
    )
