"""Requests that nobody wants any more end promptly, wherever they wait, and exactly once."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from connectory.domain.cancellation import RequestCancelled
from connectory.domain.delivery import DeliveryPolicy
from connectory.domain.execution import Action
from connectory.infra import topics
from tests.unit.timed import TimedInstallation, at, elapsed, in_virtual_time, installed, virtually

ONE_IN_A_MINUTE = DeliveryPolicy(requests_per_second=1 / 60)
IN_FIVE_SECONDS = DeliveryPolicy(requests_per_second=1 / 5)

Ending = Callable[[TimedInstallation], Awaitable[None]]


async def cancelled(installation: TimedInstallation) -> None:
    await installation.cancel("r1")


async def disabled(installation: TimedInstallation) -> None:
    await installation.connector(enabled=False, version=9)


async def removed(installation: TimedInstallation) -> None:
    await installation.remove()


async def on_a_retry_topic(installation: TimedInstallation) -> None:
    installation.answers("r1", (503, 3000))
    await installation.submit("r1")
    await installation.until(lambda: installation.waiting(topics.ACTION_RETRIES_10M))


async def in_memory_for_its_next_attempt(installation: TimedInstallation) -> None:
    installation.answers("r1", (503, 9))
    await installation.submit("r1")
    await installation.told(Action.RETRY_SCHEDULED)


async def for_its_rate(installation: TimedInstallation) -> None:
    await installation.connector(delivery_policy=IN_FIVE_SECONDS, version=2)
    await installation.submit("r0", "r1")
    await installation.told(Action.RATE_LIMITED)


async def for_its_rate_on_a_retry_topic(installation: TimedInstallation) -> None:
    await installation.connector(delivery_policy=ONE_IN_A_MINUTE, version=2)
    await installation.submit("r0", "r1")
    await installation.until(lambda: installation.waiting(topics.ACTION_RETRIES_10S))


async def behind_another_of_its_key(installation: TimedInstallation) -> None:
    installation.answers("r0", (503, 3000))
    await installation.submit("r0", "r1", ordering_key="k")
    await installation.until(lambda: installation.waiting(topics.ACTION_RETRIES_10M))


PLACES = [
    on_a_retry_topic,
    in_memory_for_its_next_attempt,
    for_its_rate,
    for_its_rate_on_a_retry_topic,
    behind_another_of_its_key,
]


@pytest.mark.parametrize("wish", [cancelled, disabled, removed])
@pytest.mark.parametrize("place", PLACES)
def test_a_request_that_waits_ends_within_a_second(place: Ending, wish: Ending) -> None:
    async def test() -> None:
        installation = await installed()
        async with installation.executor():
            await place(installation)
            asked = elapsed()
            await wish(installation)
            (final,) = await installation.ended("r1")
            await installation.settle(4000)
        assert final.at <= at(asked + 1)
        assert final.outcome == "failure"
        assert Counter(each.request_id for each in installation.finals())["r1"] == 1

    virtually(test)


@in_virtual_time
async def test_whoever_wants_a_request_cancelled_hears_that_it_was() -> None:
    installation = await installed(partitions=1)
    async with installation.executor():
        await on_a_retry_topic(installation)
        await installation.cancel("r1", reply_partition=0)
        await installation.ended("r1")
        answers = await installation.until(lambda: installation.read(topics.REPLIES, RequestCancelled))
    assert [each.request_id for each in answers] == ["r1"]


@in_virtual_time
async def test_a_request_that_is_cancelled_between_two_executors_does_not_run() -> None:
    installation = await installed()
    async with installation.executor():
        await on_a_retry_topic(installation)
    await installation.cancel("r1")
    async with installation.executor():
        (final,) = await installation.ended("r1")
    assert (final.action, len(installation.calls())) == (Action.CANCELLED, 1)


@in_virtual_time
async def test_all_that_waits_for_the_rate_of_a_disabled_connector_ends_at_once() -> None:
    installation = await installed()
    await installation.connector(delivery_policy=ONE_IN_A_MINUTE, enabled=False, version=2)
    names = [f"r{number}" for number in range(20)]
    await installation.submit(*names)
    async with installation.executor():
        finals = await installation.ended(*names)
    assert max(final.at for final in finals) <= at(1)


@in_virtual_time
async def test_a_request_that_was_taken_ahead_of_its_turn_is_not_lost_by_a_crash() -> None:
    installation = await installed(in_flight=1)
    installation.run_timeout = timedelta(hours=2)
    installation.answers("r1", (503, 1500))
    installation.answers("busy", 0)
    await installation.submit("r1")
    async with installation.killed():
        await installation.until(lambda: installation.waiting(topics.ACTION_RETRIES_10M))
        await installation.connector("c2")
        await installation.submit("busy", connector_id="c2")
        await installation.until(lambda: installation.calls("busy"))
        await installation.cancel("r1")
        await installation.settle(1000)  # its record comes in its turn, and there is no place to end it
    async with installation.executor():
        (final,) = await installation.ended("r1")
    assert final.reason == "request-cancelled"


class LateAnswers(TimedInstallation):
    """Nobody hears from the broker between the moment that a request is on its retry topic and `go_on`."""

    def __init__(self) -> None:
        super().__init__(in_flight=1)
        self.go_on = asyncio.Event()

    async def _before(self, operation: str) -> None:
        if operation == "write-answer" and self.waiting(topics.ACTION_RETRIES_10M):
            await self.go_on.wait()
        await super()._before(operation)


@in_virtual_time
async def test_a_request_that_ends_before_the_answer_to_its_move_comes_is_not_lost_by_a_crash() -> None:
    installation = LateAnswers()
    await installation.create_topics()
    installation.run_timeout = timedelta(hours=2)
    await installation.connector()
    await installation.connector("c2")
    installation.answers("r1", (503, 1500))
    installation.answers("busy", 0)
    await installation.submit("r1")
    await installation.submit("busy", connector_id="c2")
    async with installation.killed(), asyncio.TaskGroup() as tasks:
        await installation.until(lambda: installation.waiting(topics.ACTION_RETRIES_10M))
        tasks.create_task(installation.cancel("r1"))
        await installation.settle()
        installation.go_on.set()
        await installation.settle(1000)
    async with installation.executor():
        (final,) = await installation.ended("r1")
    assert final.reason == "request-cancelled"


@in_virtual_time
async def test_those_behind_a_cancelled_request_of_their_key_go_on() -> None:
    installation = await installed()
    async with installation.executor():
        await behind_another_of_its_key(installation)
        await installation.cancel("r0")
        await installation.ended("r0", "r1")
        assert elapsed() < 60
    assert installation.called() == ["r0", "r1"]
