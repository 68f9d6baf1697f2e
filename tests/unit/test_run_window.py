"""The limit on the runs of a whole type within the latest while."""

from datetime import timedelta

from connectory.composition import run_windows
from connectory.domain.execution import Action, Failed
from connectory.domain.replies import RequestCompleted
from connectory.domain.run_window import RunWindow
from connectory.executor import RunSettings
from connectory.executor.policies import RunPolicy
from connectory.executor.throttle import Held, Throttles
from connectory.infra.settings import load_settings
from connectory.testing import ManualClock
from tests.unit.connectors import AT
from tests.unit.test_throttle import BREAKER, SECOND, THROUGH
from tests.unit.timed import TimedInstallation, at, in_virtual_time, installed

TEXT = 'Rate limit of 2 runs in 1m for connector type ".webhook" is exceeded'


def window() -> RunWindow:
    return RunWindow(2, timedelta(seconds=60), TEXT)


async def limited() -> TimedInstallation:
    return await installed(runs=RunSettings(windows={".webhook": window()}))


def test_runs_are_held_up_when_more_than_the_limit_lie_within_the_window() -> None:
    runs = window()
    for seconds in (0, 10, 20):
        assert runs.room_at(AT + seconds * SECOND) is None
        runs.log(AT + seconds * SECOND)
    assert runs.room_at(AT + 30 * SECOND) == AT + 60 * SECOND
    assert runs.room_at(AT + 60 * SECOND) is None


def test_all_connectors_of_the_type_share_it() -> None:
    runs, clock = window(), ManualClock(AT)
    policy = RunPolicy(max_attempts=3, max_in_flight=8, window=runs)
    throttles = Throttles(lambda _connector_id: policy, BREAKER, clock, {})
    assert [throttles.admit(each) for each in ("c1", "c2", "c3")] == [THROUGH] * 3
    assert throttles.admit("c4") == (Held("rate-limited", AT + 60 * SECOND), None)


@in_virtual_time
async def test_a_queued_run_is_delayed_and_the_log_says_so() -> None:
    installation = await limited()
    await installation.submit("r1", "r2", "r3", "r4")
    async with installation.executor():
        await installation.ended("r1", "r2", "r3")
        told = await installation.told(Action.RATE_LIMITED, "r4")
        (last,) = await installation.ended("r4")
    assert told.retry_at is not None
    assert told.retry_at >= at(60)
    assert (last.outcome, last.attempt) == ("success", 1)
    assert last.started_at is not None
    assert last.started_at >= at(60)


@in_virtual_time
async def test_a_direct_run_is_told_when_there_is_room_again() -> None:
    installation = await limited()
    await installation.submit("r1", "r2", "r3", "r4", reply_partition=0)
    async with installation.executor():
        await installation.ended("r1", "r2", "r3", "r4")
    (refused,) = [each for each in installation.replies() if isinstance(each, RequestCompleted) and _failed(each)]
    assert isinstance(refused.result, Failed)
    assert (refused.result.message, refused.result.error_source) == (TEXT, "user")
    assert (
        refused.result.retry == min(each.started_at for each in installation.finals() if each.started_at) + 60 * SECOND
    )
    assert len(installation.target.calls) == 3


def test_the_settings_say_it_in_the_words_of_the_operator() -> None:
    settings = load_settings({"xpack.actions.rateLimiter.email": {"limit": 5, "lookbackWindow": "3600s"}}, environ={})
    assert (
        run_windows(settings)[".email"].described
        == 'Rate limit of 5 runs in 1h for connector type ".email" is exceeded'
    )


def _failed(completed: RequestCompleted) -> bool:
    return isinstance(completed.result, Failed)
