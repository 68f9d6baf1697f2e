"""The program is asked to end in the midst of its work, and started again: what is under way is brought to its end.

So with a target that answers quickly nothing is in doubt, and nothing is run again.
"""

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectory.domain.execution import Delivery
from tests.chaos.history import CHECKS, Check, History
from tests.chaos.installation import Installation
from tests.chaos.living import DEADLINE_SECONDS, live_through, new_requests
from tests.chaos.load import Load
from tests.chaos.sink import Sink, open_sink

SEED = 7
REQUESTS = 1000
SLOW_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Aftermath:
    history: History
    exit_codes: list[int]


@pytest.fixture(scope="module")
async def aftermath(chaos_dir: Path) -> AsyncIterator[Aftermath]:
    chance = random.Random(SEED)
    installation = Installation(chaos_dir / "data")
    async with open_sink(chance, SLOW_SECONDS) as sink:
        try:
            await installation.start()
            await installation.create_connectors([f"{sink.url}/quick", f"{sink.url}/slow"])
            yield await restart(installation, sink, chance)
        finally:
            await installation.stop()


async def restart(installation: Installation, sink: Sink, chance: random.Random) -> Aftermath:
    exit_codes = []

    load = Load(new_requests(installation, list(Delivery) * (REQUESTS // 2), chance), sink, chance)

    async def termination() -> None:
        load.go_on()
        await sink.sees_more(chance.randrange(100, 600), DEADLINE_SECONDS)
        exit_codes.append(await installation.terminate())

    history = await live_through(installation, sink, load, termination)
    return Aftermath(history=history, exit_codes=exit_codes)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_no_request_is(aftermath: Aftermath, check: Check) -> None:
    assert check(aftermath.history) == []


def test_nothing_is_in_doubt(aftermath: Aftermath) -> None:
    assert sorted(aftermath.history.in_doubt) == []


def test_every_request_is_run_once(aftermath: Aftermath) -> None:
    assert len(aftermath.history.published) == REQUESTS
    assert sorted(aftermath.history.calls) == sorted(aftermath.history.published)


def test_the_end_was_a_good_one(aftermath: Aftermath) -> None:
    assert aftermath.exit_codes == [0]
