"""Roles in processes of their own are killed, stopped and moved, servers are taken away, and the target misbehaves.

A seed draws the faults: every kind once. The long version of this is `make chaos`.
"""

import random
from collections import Counter
from pathlib import Path

import pytest

from connectory.testing.history import CHECKS, Check
from tests.chaos.campaign import Campaign, Findings, on_cluster
from tests.chaos.plan import OF_CLUSTER, draw

SEED = 4
REQUESTS = 2000


@pytest.fixture(scope="module")
async def findings(chaos_dir: Path) -> Findings:
    campaign = Campaign(seed=SEED, requests=REQUESTS, rounds=draw(OF_CLUSTER, random.Random(SEED)))
    return await on_cluster(campaign, chaos_dir, print)


def test_the_run_was_one_to_speak_of(findings: Findings) -> None:
    assert len(findings.history.submitted) == REQUESTS
    assert findings.faults == Counter(str(kind) for kind in OF_CLUSTER)
    assert any(call.is_refused for call in findings.history.calls), "the target was always well"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_no_request_and_no_connector_is(findings: Findings, check: Check) -> None:
    assert check(findings.history) == []


def test_roles_that_were_asked_to_end_ended_well(findings: Findings) -> None:
    assert set(findings.exit_codes) == {0}


def test_nothing_unexpected_was_logged(findings: Findings) -> None:
    assert findings.tracebacks == []
