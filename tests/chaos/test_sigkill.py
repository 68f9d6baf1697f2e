"""The whole program is killed in the midst of its work, several times over, and started again on the same data.

The moments are chosen by a seed, as numbers of requests that the target has seen. What must hold afterwards is what
Connectory promises.
"""

import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectory.client import ConnectorInfo, NewActionRequest, open_log
from connectory.domain.execution import Delivery
from connectory.infra.settings import KafkaSettings
from tests.chaos.history import CHECKS, Check, History
from tests.chaos.installation import Installation
from tests.chaos.load import Load, all_outcomes
from tests.chaos.sink import Sink, open_sink
from tests.waiting import until

SEED = 20
AT_LEAST_ONCE = 2000
AT_MOST_ONCE = 500
KILLS = 3
DEADLINE_SECONDS = 120.0


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
            yield await live_through(installation, sink, chance)
        finally:
            await installation.stop()


async def live_through(installation: Installation, sink: Sink, chance: random.Random) -> Aftermath:
    load = Load(new_requests(installation, chance), sink, chance)
    async with open_log(KafkaSettings(), data_dir=installation.data_dir) as log:
        async with load.running(log):
            for number, moment in enumerate(moments(chance)):
                await until(lambda moment=moment: len(sink.seen) >= moment, DEADLINE_SECONDS, 0.001)
                await installation.create_connectors([f"{sink.url}/quick"])
                await installation.kill(with_servers=number % 2 == 1)
            await load.all_ended(DEADLINE_SECONDS)
        told = await all_outcomes(log)
    different = len({(each.execution_id, each.action) for each in told})
    history = History(
        published=load.published,
        calls=sink.calls,
        outcomes=told,
        logged=await installation.event_log(different, DEADLINE_SECONDS),
    )
    return Aftermath(history=history, installation=installation, read_back=await installation.connectors())


def new_requests(installation: Installation, chance: random.Random) -> list[NewActionRequest]:
    deliveries = [Delivery.AT_LEAST_ONCE] * AT_LEAST_ONCE + [Delivery.AT_MOST_ONCE] * AT_MOST_ONCE
    chance.shuffle(deliveries)
    return [
        NewActionRequest(connector_id=chance.choice(installation.created).id, params={"body": "x"}, delivery=each)
        for each in deliveries
    ]


def moments(chance: random.Random) -> list[int]:
    """How many requests the target has seen when the next kill comes, apart enough that work goes on in between."""
    all_of_them = AT_LEAST_ONCE + AT_MOST_ONCE
    share = all_of_them // (KILLS + 1)
    return [number * share + chance.randrange(share) for number in range(KILLS)]


def test_the_run_was_one_to_speak_of(aftermath: Aftermath) -> None:
    history = aftermath.history
    deliveries = Counter(history.published.values())
    assert deliveries == {Delivery.AT_LEAST_ONCE: AT_LEAST_ONCE, Delivery.AT_MOST_ONCE: AT_MOST_ONCE}
    assert {history.published[each] for each in history.in_doubt} == set(Delivery), "no kill hit anything"


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
    assert len(lives) == KILLS
    assert [life for life in lives if "Traceback" in life] == []
