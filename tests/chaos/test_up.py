"""The whole program is killed in the midst of its work, several times over, and started again on the same data.

A seed chooses the moments. What must hold afterwards is what Connectory promises.
"""

import random
from pathlib import Path

import pytest

from connectory.domain.execution import Action, Delivery
from connectory.testing.history import CHECKS, Check
from tests.chaos.campaign import Campaign, Findings, on_up
from tests.chaos.plan import Kind, draw

SEED = 20
REQUESTS = 1500
KILLS = [Kind.KILL_UP, Kind.KILL_UP_AND_SERVERS]
"""A server notices that the program is gone, and ends in good order, unless it is killed at the same moment."""


@pytest.fixture(scope="module")
async def findings(chaos_dir: Path) -> Findings:
    campaign = Campaign(seed=SEED, requests=REQUESTS, rounds=draw(KILLS, random.Random(SEED)))
    return await on_up(campaign, chaos_dir, print)


def test_the_run_was_one_to_speak_of(findings: Findings) -> None:
    history = findings.history
    assert len(history.submitted) == REQUESTS
    assert {history.requests[each].delivery for each in history.in_doubt} == set(Delivery), "no kill has hit anything"
    assert history.duplicates, "no request was run again"
    assert Action.DUPLICATE in {each.action for each in history.told}, "no request was published again"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_no_request_and_no_connector_is(findings: Findings, check: Check) -> None:
    assert check(findings.history) == []


def test_servers_of_a_killed_life_are_gone_in_the_next(findings: Findings) -> None:
    assert findings.outlived == []


def test_nothing_unexpected_was_logged(findings: Findings) -> None:
    assert len(findings.printed) == len(KILLS) + 1
    assert findings.tracebacks == []
