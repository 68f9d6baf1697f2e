"""The program is asked to end in the midst of its work, and started again: what is under way is brought to its end.

So nothing is in doubt, and nothing is run again.
"""

from pathlib import Path

import pytest

from connectory.testing.history import CHECKS, Check
from tests.chaos.campaign import Campaign, Findings, on_up
from tests.chaos.plan import Fault, Kind

SEED = 7
REQUESTS = 800
TERMINATION = Fault(kind=Kind.TERMINATE_UP, after=0.4, seconds=0.0, which=0)


@pytest.fixture(scope="module")
async def findings(chaos_dir: Path) -> Findings:
    return await on_up(Campaign(seed=SEED, requests=REQUESTS, rounds=[[TERMINATION]]), chaos_dir, print)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_no_request_and_no_connector_is(findings: Findings, check: Check) -> None:
    assert check(findings.history) == []


def test_nothing_is_in_doubt(findings: Findings) -> None:
    assert not findings.history.in_doubt


def test_no_request_is_run_twice(findings: Findings) -> None:
    assert [key for key, calls in findings.history.calls_of.items() if len(calls) > 1] == []


def test_the_end_was_a_good_one(findings: Findings) -> None:
    assert findings.exit_codes == [0]
