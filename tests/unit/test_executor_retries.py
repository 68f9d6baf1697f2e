"""Requests that are tried again: when, how often, and across restarts in every phase."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from connectory.connector_types.contract import OutgoingRequest, OutgoingResponse
from connectory.domain import outcomes
from connectory.domain.delivery import DeliveryPolicy
from connectory.domain.execution import Action, ActionRequest, Failed, Outcome, RequestPosition, WaitingRequest
from connectory.domain.outcomes import Attempt
from connectory.domain.retry import backoff
from connectory.infra import topics
from connectory.infra.log import Committed, Share
from tests.unit.connectors import AT
from tests.unit.installation import owned
from tests.unit.timed import TimedInstallation, at, in_virtual_time, installed, virtually

ENDED = ["execute-start", "execute", "execute-retry-scheduled", "execute-start", "execute"]


@in_virtual_time
async def test_a_short_wait_stays_in_memory() -> None:
    installation = await installed()
    installation.answers("r1", (503, 9))
    await installation.submit("r1")
    async with installation.executor():
        (final,) = await installation.ended("r1")
    first, second = installation.calls()
    assert 9 <= second - first < 10
    assert (installation.actions(), final.outcome, final.attempt) == (ENDED, "success", 2)
    assert [installation.log.records(topic) for topic in topics.RETRY_TOPICS] == [[], [], []]


@in_virtual_time
async def test_a_wait_of_an_hour_hops_over_the_retry_topics() -> None:
    installation = await installed()
    installation.answers("r1", (503, 3600))
    await installation.submit("r1")
    async with installation.executor():
        await installation.ended("r1")
    first, second = installation.calls()
    assert 3600 <= second - first < 3602
    hops = [len(installation.log.records(topic)) for topic in topics.RETRY_TOPICS]
    assert hops[2] == 5
    assert sum(hops) <= 5 + 9 + 5
    assert installation.actions() == ENDED


@in_virtual_time
async def test_the_decision_to_try_again_tells_when() -> None:
    installation = await installed()
    installation.answers("r1", 503)
    await installation.submit("r1")
    async with installation.executor():
        await installation.ended("r1")
    _, failed, scheduled, second, _ = installation.outcomes("r1")
    due = failed.at + backoff("r1", 1, installation.limits.retry)
    assert (failed.retry_at, scheduled.retry_at, failed.final) == (due, due, False)
    assert due <= second.at < due + timedelta(seconds=1)


@in_virtual_time
async def test_after_the_last_attempt_there_is_a_dead_letter() -> None:
    installation = await installed()
    installation.answers("r1", 503, 503, 503)
    await installation.submit("r1")
    async with installation.executor():
        (final,) = await installation.ended("r1")
        (letter,) = await installation.until(installation.dead_letters)
    assert (final.attempt, final.outcome, len(installation.calls())) == (3, "failure", 3)
    assert (letter.request_id, letter.offset) == ("r1", final.position.offset)
    assert letter.message.startswith("after 3 attempts: ")


@in_virtual_time
async def test_a_direct_request_is_not_tried_again_and_leaves_no_dead_letter() -> None:
    installation = await installed()
    installation.answers("r1", 503)
    await installation.submit("r1", reply_partition=0)
    async with installation.executor():
        (final,) = await installation.ended("r1")
        await installation.settle()
    assert (final.attempt, installation.dead_letters()) == (1, [])


@in_virtual_time
async def test_the_requests_own_number_of_attempts_counts() -> None:
    installation = await installed()
    installation.answers("r1", 503, 503)
    installation.answers("r2", *[503] * 99)
    await installation.submit("r1", max_attempts=1)
    await installation.submit("r2", max_attempts=5)
    async with installation.executor():
        finals = await installation.ended("r1", "r2")
    assert [final.attempt for final in finals] == [1, 5]


PHASES = {
    "the attempt has failed": lambda i: i.actions().count("execute"),
    "the retry is scheduled": lambda i: i.actions().count("execute-retry-scheduled"),
    "it waits on the first topic": lambda i: i.waiting(topics.ACTION_RETRIES_1M),
    "it has hopped": lambda i: i.waiting(topics.ACTION_RETRIES_10S),
    "its next attempt has ended": lambda i: i.actions().count("execute") == 2,
}


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("way", ["killed", "executor"])
def test_an_executor_that_stops_in_any_phase_neither_loses_nor_doubles_an_attempt(phase: str, way: str) -> None:
    async def test() -> None:
        installation = await installed()
        installation.answers("r1", (503, 100), (503, 9))
        await installation.submit("r1")
        async with getattr(installation, way)():
            await installation.until(lambda: PHASES[phase](installation))
        async with installation.executor():
            (final,) = await installation.ended("r1")
            await installation.settle(1000)
        assert (final.attempt, final.outcome, final.possible_duplicate) == (3, "success", False)
        first, second, third = installation.calls()
        assert 100 <= second - first < 115
        assert 9 <= third - second < 20
        assert installation.actions().count("execute-retry-scheduled") == 2

    virtually(test)


@in_virtual_time
async def test_a_decision_that_was_not_recorded_any_more_is_recorded_by_the_next_owner() -> None:
    installation = await installed()
    await installation.submit("r1")
    await write_outcomes(installation, due_in=20)
    async with installation.executor():
        await installation.ended("r1")
    assert installation.actions() == ENDED
    assert installation.calls()[0] >= 20


@in_virtual_time
async def test_a_submission_of_the_same_id_while_the_first_one_waits_is_a_duplicate() -> None:
    installation = await installed()
    installation.answers("r1", (503, 1500))
    await installation.submit("r1")
    async with installation.executor():
        await installation.until(lambda: installation.waiting(topics.ACTION_RETRIES_10M))
    await installation.submit("r1")
    async with installation.executor():
        await installation.told(Action.DUPLICATE)
        await installation.ended("r1")
        await installation.settle()
    assert len(installation.calls()) == 2


@in_virtual_time
async def test_what_was_ended_hours_ago_is_not_run_from_a_retry_topic_that_is_read_late() -> None:
    installation = await installed(dedupe_window=timedelta(minutes=1))
    await installation.submit("r1", "r2")
    request, position = submitted(installation, 0)
    waiting = WaitingRequest(request=request, position=position, step=1, due_at=at(600))
    message = installation.messages.message
    await installation.write(message(topics.ACTION_RETRIES_10M, "c1", waiting, at=AT, partition=0))
    await write_outcomes(installation, due_in=None)
    await installation.settle(7200)
    await write_outcomes(installation, due_in=None, offset=1)
    await commit(installation, {topics.ACTION_REQUESTS: 2, topics.ACTION_RETRIES_10M: 0})

    async with installation.executor():
        await installation.settle(1000)

    assert not installation.called()


class SlowReads(TimedInstallation):
    """Each look for records takes so many seconds more. Commits of progress are counted."""

    fetch_takes = 0.0
    commits = 0

    async def _before(self, operation: str) -> None:
        if operation == "fetch":
            await asyncio.sleep(self.fetch_takes)
        self.commits += operation == "commit-answer"
        await super()._before(operation)


@in_virtual_time
async def test_what_ended_ahead_of_a_slow_connector_is_known_to_every_later_owner() -> None:
    installation = SlowReads(dedupe_window=timedelta(minutes=1))
    await installation.create_topics()
    await installation.connector()
    await installation.connector("c2", delivery_policy=DeliveryPolicy(max_in_flight=1))
    slow = [f"slow{number}" for number in range(30)]
    installation.target.answer = slowly
    await installation.submit(*slow, connector_id="c2")
    await installation.submit("free")
    async with installation.executor():
        await installation.ended("free")
    async with installation.executor():
        await installation.settle(2700)
    installation.fetch_takes, before = 3.0, installation.commits
    async with installation.executor():
        await installation.until(lambda: installation.commits > before)  # and nothing has been read
    installation.fetch_takes = 0.0
    async with installation.executor():
        await installation.settle(60)
    assert installation.called().count("free") == 1
    assert Counter(each.request_id for each in installation.finals())["free"] == 1


async def slowly(request: OutgoingRequest) -> OutgoingResponse:
    if request.url.endswith("c2"):
        await asyncio.sleep(120)
    return OutgoingResponse(status=200, reason="OK", headers={}, body=b"")


@in_virtual_time
async def test_a_submission_is_a_duplicate_however_late_it_is_read() -> None:
    installation = await installed()
    await installation.submit("r1")
    async with installation.executor():
        await installation.ended("r1")
    await installation.settle(600)
    await installation.submit("r1")
    await installation.settle(7200)
    async with installation.executor():
        await installation.told(Action.DUPLICATE)
    assert len(installation.calls()) == 1


@in_virtual_time
async def test_a_submission_without_a_time_counts_from_when_it_is_read() -> None:
    installation = await installed()
    message = installation.request_message("r1")
    for _ in range(2):
        installation.log.append_raw(message.topic, 0, message.value, key=message.key, timestamp_ms=-1)
    async with installation.executor():
        await installation.told(Action.DUPLICATE)
        await installation.settle(7200)
        installation.log.append_raw(message.topic, 0, message.value, key=message.key, timestamp_ms=-1)
        await installation.until(lambda: len(installation.calls()) == 2)


async def commit(installation: TimedInstallation, offsets: dict[str, int]) -> None:
    """What an executor did that had read so far and had nothing under way, its outcomes all written."""
    end = str(len(installation.log.records(topics.ACTION_OUTCOMES)))
    is_done = asyncio.Event()

    async def serve(share: Share) -> None:
        await share.commit({topic: Committed(offset, end) for topic, offset in offsets.items()})
        is_done.set()

    async with owned(installation.log.join(topics.EXECUTORS, [topics.ACTION_REQUESTS, *topics.RETRY_TOPICS], serve)):
        await is_done.wait()


def submitted(installation: TimedInstallation, offset: int) -> tuple[ActionRequest, RequestPosition]:
    record = installation.log.records(topics.ACTION_REQUESTS)[offset]
    position = RequestPosition(topic=topics.ACTION_REQUESTS, partition=0, offset=offset)
    return installation.messages.decode(record.value, ActionRequest), position


async def write_outcomes(installation: TimedInstallation, due_in: float | None, offset: int = 0) -> None:
    """An attempt that has failed and is to be tried again, if so; the decision itself is not on the log."""
    request, position = submitted(installation, offset)
    attempt = Attempt(request=request, position=position, execution_id="e1")
    failed = outcomes.finish(attempt, AT, AT, Failed(message="down"), None if due_in is None else at(due_in))
    told: list[Outcome] = [outcomes.start(attempt, AT), failed]
    message = installation.messages.message
    await installation.write(*(message(topics.ACTION_OUTCOMES, "c1", each, at=AT, partition=0) for each in told))
