"""The whole program is killed in the midst of its work, several times over, and started again on the same data.

A seed chooses the moments. What must hold afterwards is what Connectory promises.
"""

import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectory.client import ConnectorInfo
from connectory.domain.execution import Action, Delivery
from tests.chaos.history import CHECKS, Check, History
from tests.chaos.installation import Installation
from tests.chaos.living import DEADLINE_SECONDS, live_through, new_requests
from tests.chaos.load import Load
from tests.chaos.sink import Sink, open_sink

SEED = 20
REQUESTS = {Delivery.AT_LEAST_ONCE: 2000, Delivery.AT_MOST_ONCE: 500}
FIRST, BETWEEN = 100, 700
"""Requests that may be published before the first kill, and more before each: so every one comes under load."""

KILLED = ("the program", "the program and its servers", "the program")
"""A server notices that the program is gone, and ends in good order, unless it is killed at the same moment."""


@dataclass(frozen=True, kw_only=True)
class Aftermath:
    """What there was to see once everything had ended."""

    history: History
    installation: Installation
    read_back: list[ConnectorInfo]


@pytest.fixture(scope="module")
async def aftermath(chaos_dir: Path) -> AsyncIterator[Aftermath]:
    chance = random.Random(SEED)
    installation = Installation(chaos_dir / "data")
    async with open_sink(chance) as sink:
        try:
            await installation.start()
            await installation.create_connectors([f"{sink.url}/quick"] * 4 + [f"{sink.url}/slow"] * 2)
            yield await survive(installation, sink, chance)
        finally:
            await installation.stop()


async def survive(installation: Installation, sink: Sink, chance: random.Random) -> Aftermath:
    load = Load(new_requests(installation, Counter(REQUESTS).elements(), chance), sink, chance)

    async def kills() -> None:
        load.go_on(FIRST)
        for killed in KILLED:
            await sink.sees_more(1, DEADLINE_SECONDS)
            await installation.create_connectors([f"{sink.url}/quick"])
            load.go_on(BETWEEN)
            await sink.sees_more(chance.randrange(1, BETWEEN // 2), DEADLINE_SECONDS)
            await installation.kill(with_servers="servers" in killed)
        load.go_on()

    history = await live_through(installation, sink, load, kills)
    return Aftermath(history=history, installation=installation, read_back=await installation.connectors())


def test_the_run_was_one_to_speak_of(aftermath: Aftermath) -> None:
    history = aftermath.history
    assert Counter(history.published.values()) == REQUESTS
    assert {history.published[each] for each in history.in_doubt} == set(Delivery), "no kill has hit anything"
    assert history.repetitions > 0, "no request was run again"
    assert Action.DUPLICATE in {each.action for each in history.told}, "no request was published again"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_no_request_is(aftermath: Aftermath, check: Check) -> None:
    assert check(aftermath.history) == []


def test_every_request_that_nothing_cut_off_has_succeeded(aftermath: Aftermath) -> None:
    ended = {each.request_id: each.outcome for each in aftermath.history.finals}
    others = {outcome for each, outcome in ended.items() if each not in aftermath.history.in_doubt}
    assert others == {"success"}


def test_connectors_are_read_back_as_they_were_created(aftermath: Aftermath) -> None:
    assert aftermath.read_back == aftermath.installation.created


def test_servers_of_a_killed_life_are_gone_in_the_next(aftermath: Aftermath) -> None:
    assert aftermath.installation.outlived == []


def test_nothing_unexpected_was_logged(aftermath: Aftermath) -> None:
    lives = aftermath.installation.outputs
    assert len(lives) == len(KILLED)
    assert [life for life in lives if "Traceback" in life] == []
