"""Slow and dead targets, rates and breakers: what they hold up, and what not."""

import itertools
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from connectory.domain.breaker import BreakerPolicy
from connectory.domain.delivery import AS_SETTINGS_SAY, DeliveryPolicy
from connectory.domain.execution import Action, Outcome
from connectory.infra import topics
from tests.unit.timed import TimedInstallation, at, elapsed, in_virtual_time, installed, virtually

IN_THREE_SECONDS = DeliveryPolicy(requests_per_second=1 / 3)


async def dead_targets(
    count: int, requests: int, policy: DeliveryPolicy = AS_SETTINGS_SAY, source: str | None = None, **limits: Any
) -> TimedInstallation:
    """Connectors whose targets never answer, with requests ahead of all others."""
    installation = await installed(**limits)
    installation.run_timeout = timedelta(hours=1)
    for number in range(count):
        await installation.connector(f"dead{number}", delivery_policy=policy)
        names = [f"dead{number}-{each}" for each in range(requests)]
        for name in names:
            installation.answers(name, 0)
        await installation.submit(*names, connector_id=f"dead{number}", source=source)
    return installation


def passes(installation: TimedInstallation) -> None:
    """Its clock goes on a little whenever it is looked at, as clocks do."""
    moments = itertools.count()
    installation.clock = lambda: at(elapsed()) + timedelta(microseconds=next(moments))


@in_virtual_time
async def test_a_target_that_never_answers_does_not_stop_the_others_of_its_partition() -> None:
    installation = await dead_targets(1, 300, window_requests=100, in_flight=20)
    passes(installation)
    await installation.submit("r1", "r2", "r3")
    async with installation.executor():
        await installation.ended("r1", "r2", "r3")
    assert elapsed() < 60
    assert installation.waiting(topics.ACTION_RETRIES_10S)


@in_virtual_time
async def test_several_dead_targets_leave_a_place_for_the_others() -> None:
    installation = await dead_targets(10, 30, window_requests=1000, in_flight=20)
    await installation.submit("r1", "r2", "r3")
    async with installation.executor():
        await installation.ended("r1", "r2", "r3")
    assert elapsed() < 5


@in_virtual_time
async def test_many_dead_targets_do_not_fill_the_window_between_them() -> None:
    one_by_one = DeliveryPolicy(max_in_flight=1)
    installation = await dead_targets(10, 30, one_by_one, window_requests=100, in_flight=20)
    await installation.submit("r1", "r2", "r3")
    async with installation.executor():
        await installation.ended("r1", "r2", "r3")
    assert elapsed() < 120


@in_virtual_time
async def test_the_breaker_opens_puts_off_tries_with_one_request_and_closes() -> None:
    installation = await installed(breaker=BreakerPolicy(minimum=2, first_open=timedelta(seconds=30)))
    names = [f"r{number}" for number in range(8)]
    for name in names[:2]:
        installation.answers(name, 503)
    await installation.connector(delivery_policy=DeliveryPolicy(max_in_flight=1), version=2)
    await installation.submit(*names, max_attempts=1)
    async with installation.executor():
        await installation.ended(*names)
    assert len(installation.calls("r0") + installation.calls("r1")) == 2
    told = [each.action for each in installation.outcomes() if each.action.startswith("breaker")]
    assert told[:2] == [Action.BREAKER_OPENED, Action.BREAKER_HALF_OPEN]
    assert told[-2:] == [Action.BREAKER_HALF_OPEN, Action.BREAKER_CLOSED]
    calls = sorted(each for times in installation.called_at.values() for each in times)
    assert calls[2] - calls[1] >= 30
    assert installation.waiting(topics.ACTION_RETRIES_10S)


async def killed_with_an_open_breaker() -> tuple[TimedInstallation, Outcome]:
    """Its executor has recorded that the breaker of `c1` has opened, for five minutes."""
    installation = await installed(breaker=BreakerPolicy(minimum=1, first_open=timedelta(minutes=5)))
    installation.answers("r1", 503)
    await installation.submit("r1", max_attempts=1)
    async with installation.killed():
        opened = await installation.told(Action.BREAKER_OPENED)
    return installation, opened


@in_virtual_time
async def test_an_open_breaker_is_open_after_a_restart() -> None:
    installation, opened = await killed_with_an_open_breaker()
    await installation.submit("r2")
    async with installation.executor():
        (final,) = await installation.ended("r2")
    assert opened.retry_at is not None
    assert opened.retry_at <= final.at < opened.retry_at + timedelta(seconds=15)


@pytest.mark.parametrize(
    ("changes", "goes_on"),
    [({"recent_commands": ("had nothing to do",)}, False), ({"version": 2}, True)],
    ids=["remembers a command", "was saved"],
)
def test_an_open_breaker_is_that_of_the_connector_as_it_was_saved(changes: Any, goes_on: bool) -> None:
    async def scenario() -> None:
        installation = await installed(breaker=BreakerPolicy(minimum=1, first_open=timedelta(minutes=5)))
        installation.answers("r1", 503)
        await installation.submit("r1", max_attempts=1)
        async with installation.executor():
            opened = await installation.told(Action.BREAKER_OPENED)
            await installation.connector(**changes)
            await installation.settle()
            await installation.submit("r2")
            (final,) = await installation.ended("r2")
        assert opened.retry_at is not None
        assert (final.at < opened.retry_at) == goes_on

    virtually(scenario)


@in_virtual_time
async def test_a_connector_that_cannot_be_read_any_more_does_not_stop_whoever_knows_of_its_breaker() -> None:
    installation, _ = await killed_with_an_open_breaker()
    installation.log.append_raw(topics.CONNECTORS, 0, b"garbage", key=b"c1")
    await installation.connector("c2")
    await installation.submit("r2", connector_id="c2")
    async with installation.executor():
        (final,) = await installation.ended("r2")
    assert final.outcome == "success"


@in_virtual_time
async def test_large_requests_behind_one_of_their_key_leave_room_for_the_others() -> None:
    installation = await installed(window_bytes=20_000)
    installation.answers("a0", (503, 3600))
    names = [f"a{number}" for number in range(40)]
    await installation.submit(*names, ordering_key="k", source="s" * 1000)
    async with installation.executor():
        await installation.told(Action.RETRY_SCHEDULED, "a0")
        await installation.submit("free")
        await installation.ended("free")
        assert elapsed() < 120
        await installation.ended(*names)
    assert installation.called() == ["a0", "free", *names]


@in_virtual_time
async def test_large_requests_of_a_dead_target_leave_room_for_the_others() -> None:
    installation = await dead_targets(1, 60, DeliveryPolicy(max_in_flight=1), window_bytes=20_000, source="s" * 1000)
    async with installation.executor():
        await installation.until(lambda: installation.calls("dead0-0"))
        await installation.submit("free")
        await installation.ended("free")
    assert elapsed() < 120


@in_virtual_time
async def test_a_rate_holds_across_restarts() -> None:
    installation = await installed()
    await installation.connector(delivery_policy=IN_THREE_SECONDS, version=2)
    names = [f"r{number}" for number in range(10)]
    await installation.submit(*names)
    for _ in range(8):
        async with installation.executor():
            await installation.settle(2)
    async with installation.executor():
        await installation.ended(*names)
    calls = sorted(each for times in installation.called_at.values() for each in times)
    assert len(calls) == 10
    assert all(after - before >= 2.99 for before, after in pairwise(calls))


@in_virtual_time
async def test_a_direct_request_does_not_stand_in_line_behind_a_rate_or_a_breaker() -> None:
    installation = await installed(breaker=BreakerPolicy(minimum=1, first_open=timedelta(minutes=5)))
    await installation.connector(delivery_policy=IN_THREE_SECONDS, version=2)
    installation.answers("r0", 503)
    await installation.submit(*(f"r{number}" for number in range(20)), max_attempts=1)
    async with installation.executor():
        await installation.told(Action.BREAKER_OPENED, "r0")
        asked = elapsed()
        await installation.submit("direct", reply_partition=0)
        await installation.ended("direct")
        assert elapsed() - asked < 1
