"""Requests that wait until it is too late for them."""

from collections import Counter
from datetime import timedelta

from connectory.domain.breaker import BreakerPolicy
from connectory.domain.delivery import DeliveryPolicy
from connectory.domain.execution import Action
from connectory.domain.retry import RetryPolicy
from tests.unit.timed import at, in_virtual_time, installed

AT_ONCE = BreakerPolicy(minimum=1, first_open=timedelta(minutes=5))
ONE_IN_A_MINUTE = DeliveryPolicy(requests_per_second=1 / 60)


@in_virtual_time
async def test_a_request_that_expires_while_the_breaker_is_open_ends_then() -> None:
    installation = await installed(breaker=AT_ONCE)
    installation.answers("r1", 503)
    await installation.submit("r1", max_attempts=1)
    async with installation.executor():
        await installation.told(Action.BREAKER_OPENED)
        await installation.submit("r2", expires_at=at(30))
        (final,) = await installation.ended("r2")
    assert (final.reason, installation.calls("r2")) == ("expired", [])
    assert at(30) <= final.at < at(45)


@in_virtual_time
async def test_a_request_that_expires_on_a_retry_topic_ends_soon_after() -> None:
    installation = await installed()
    await installation.connector(delivery_policy=ONE_IN_A_MINUTE, version=2)
    await installation.submit(*(f"r{number}" for number in range(10)), expires_at=at(90))
    async with installation.executor():
        finals = await installation.ended(*(f"r{number}" for number in range(10)))
    assert Counter(final.reason for final in finals) == {None: 2, "expired": 8}
    assert max(final.at for final in finals) < at(105)


@in_virtual_time
async def test_a_request_that_cannot_be_run_within_the_longest_age_is_given_up() -> None:
    installation = await installed(retry=RetryPolicy(max_age=timedelta(seconds=270)))
    await installation.connector(delivery_policy=ONE_IN_A_MINUTE, version=2)
    await installation.submit(*(f"r{number}" for number in range(10)))
    async with installation.executor():
        finals = await installation.ended(*(f"r{number}" for number in range(10)))
    assert Counter(final.reason for final in finals) == {None: 5, "too-old": 5}
    assert max(final.at for final in finals) < at(290)


@in_virtual_time
async def test_no_retry_is_scheduled_beyond_the_expiry() -> None:
    installation = await installed()
    installation.answers("r1", 503)
    await installation.submit("r1", expires_at=at(0.5))
    async with installation.executor():
        (final,) = await installation.ended("r1")
    assert (final.action, final.outcome, final.attempt) == (Action.EXECUTE, "failure", 1)
