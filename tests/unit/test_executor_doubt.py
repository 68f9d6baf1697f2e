"""Attempts that a crash cut off, of requests that cannot go on at once."""

from datetime import timedelta

from connectory.domain.breaker import BreakerPolicy
from connectory.domain.delivery import DeliveryPolicy
from connectory.domain.execution import Action, Delivery
from tests.unit.timed import TimedInstallation, in_virtual_time, installed

ONE_IN_A_MINUTE = DeliveryPolicy(requests_per_second=1 / 60)


async def cut_off(delivery: Delivery) -> TimedInstallation:
    """A request whose attempt was cut off, through a connector that may not be called again for a minute."""
    installation = await installed()
    await installation.connector(delivery_policy=ONE_IN_A_MINUTE, version=2)
    installation.answers("r1", 0)
    await installation.submit("r1", delivery=delivery)
    async with installation.killed():
        await installation.until(installation.calls)
    return installation


@in_virtual_time
async def test_an_attempt_in_doubt_is_marked_though_the_next_one_is_put_off() -> None:
    installation = await cut_off(Delivery.AT_LEAST_ONCE)
    async with installation.executor():
        (final,) = await installation.ended("r1")
    starts = [each for each in installation.outcomes("r1") if each.action is Action.EXECUTE_START]
    assert [each.possible_duplicate for each in starts] == [False, True]
    assert (final.attempt, final.outcome, final.possible_duplicate) == (2, "success", True)
    assert installation.waiting("action-retries-10s")


@in_virtual_time
async def test_at_most_once_is_not_run_again_though_it_could_not_go_on_at_once() -> None:
    installation = await cut_off(Delivery.AT_MOST_ONCE)
    async with installation.executor():
        (final,) = await installation.ended("r1")
    assert (final.outcome, final.reason, len(installation.calls())) == ("unknown", "in-doubt", 1)


@in_virtual_time
async def test_a_restored_breaker_does_not_take_a_request_in_doubt_for_its_probe() -> None:
    installation = await installed(breaker=BreakerPolicy(minimum=1, first_open=timedelta(seconds=5)))
    installation.answers("r1", 0)
    installation.answers("r2", 503)
    await installation.submit("r1", delivery=Delivery.AT_MOST_ONCE)
    await installation.submit("r2", max_attempts=1)
    async with installation.killed():
        await installation.told(Action.BREAKER_OPENED, "r2")
    await installation.submit("r3")
    async with installation.executor():
        finals = await installation.ended("r1", "r3")
    assert [final.reason for final in finals] == ["in-doubt", None]


@in_virtual_time
async def test_a_request_in_doubt_whose_connector_is_gone_has_no_start_without_an_end() -> None:
    installation = await cut_off(Delivery.AT_LEAST_ONCE)
    await installation.remove()
    async with installation.executor():
        (final,) = await installation.ended("r1")
    start, marked, last = installation.outcomes("r1")
    assert (marked.execution_id, marked.reason) == (start.execution_id, "in-doubt")
    assert (last, final.reason) == (final, "connector-not-found")
