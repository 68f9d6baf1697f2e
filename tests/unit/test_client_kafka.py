"""Publishing and consuming on the log in memory, which is held to the same rules as Kafka."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from connectory.client import (
    BEGINNING,
    ActionRequestPublisher,
    NewActionRequest,
    OutcomeConsumer,
    RequestInvalid,
    check_request,
    read_requests,
)
from connectory.domain.execution import Action, ActionRequest, Outcome, RequestPosition
from connectory.infra.in_memory_log import InMemoryLog
from connectory.infra.log import Message, read_all
from connectory.infra.messages import Messages
from connectory.infra.topics import ACTION_OUTCOMES, ACTION_REQUESTS, TopicSpec

NOW = datetime(2026, 5, 1, tzinfo=UTC)
MESSAGES = Messages()
PARTITIONS = 3


@pytest.fixture
async def log() -> InMemoryLog:
    log = InMemoryLog(partitions=PARTITIONS)
    await log.create_topics([TopicSpec(ACTION_REQUESTS), TopicSpec(ACTION_OUTCOMES)])
    return log


def request(number: int, connector_id: str = "ops") -> NewActionRequest:
    return NewActionRequest(connector_id=connector_id, params={"n": number}, request_id=f"r{number}")


def outcome(request_id: str, action: Action = Action.EXECUTE, *, final: bool = True) -> Outcome:
    return Outcome(
        execution_id=f"{request_id}-{action}",
        request_id=request_id,
        space_id="default",
        connector_id="ops",
        action=action,
        at=NOW,
        started_at=NOW,
        position=RequestPosition(topic=ACTION_REQUESTS, partition=0, offset=0),
        final=final,
        attempt=1,
        message="",
        outcome="success" if final else None,
    )


async def write(log: InMemoryLog, *outcomes: Outcome) -> None:
    async with log.writer() as writer:
        await writer.write([MESSAGES.message(ACTION_OUTCOMES, each.connector_id, each, at=NOW) for each in outcomes])


async def published(log: InMemoryLog) -> list[ActionRequest]:
    found: list[ActionRequest] = []
    for partition in range(PARTITIONS):
        async with log.tail(ACTION_REQUESTS, partition, 0) as tail:
            found += [MESSAGES.decode(record.value, ActionRequest) for record in await read_all(tail)]
    return found


async def seen(consumer: OutcomeConsumer, count: int) -> list[str]:
    return [(await anext(consumer)).request_id for _ in range(count)]


async def test_requests_are_published_in_order_under_their_connector(log: InMemoryLog) -> None:
    async with ActionRequestPublisher.over(log) as publisher:
        ids = await publisher.publish_many(request(number) for number in range(2500))

    assert ids == [f"r{number}" for number in range(2500)]
    assert [each.request_id for each in await published(log)] == ids


async def test_a_published_request_carries_what_was_asked_for(log: InMemoryLog) -> None:
    asked = check_request({"connector_id": "ops", "params": {"a": [1]}, "source": "tests", "delivery": "at_most_once"})

    async with ActionRequestPublisher.over(log) as publisher:
        request_id = await publisher.publish(asked)

    [found] = await published(log)
    assert (found.request_id, found.params, found.source) == (request_id, {"a": [1]}, "tests")
    assert (found.delivery, found.space_id) == ("at_most_once", "default")


async def test_a_consumer_from_now_sees_what_comes_after_it_was_opened(log: InMemoryLog) -> None:
    await write(log, outcome("before"))

    async with OutcomeConsumer.over(log) as consumer:
        await write(log, outcome("after"))
        assert await seen(consumer, 1) == ["after"]


async def test_a_consumer_that_does_not_follow_stops_at_the_end(log: InMemoryLog) -> None:
    await write(log, *(outcome(f"r{number}") for number in range(5)))

    async with OutcomeConsumer.over(log, start=BEGINNING, follow=False) as consumer:
        assert [each.request_id async for each in consumer] == ["r0", "r1", "r2", "r3", "r4"]


async def test_final_only_leaves_one_outcome_a_request(log: InMemoryLog) -> None:
    await write(log, outcome("r1", Action.EXECUTE_START, final=False), outcome("r1"))

    async with OutcomeConsumer.over(log, start=BEGINNING, follow=False, final_only=True) as consumer:
        assert [each.action async for each in consumer] == [Action.EXECUTE]


async def test_answers_end_with_the_last_request_also_when_one_was_a_duplicate(log: InMemoryLog) -> None:
    async with OutcomeConsumer.over(log) as consumer:
        await write(log, outcome("other"), outcome("r1", Action.DUPLICATE, final=False), outcome("r2"))
        assert [each.request_id async for each in consumer.answers(["r2", "r1"])] == ["r1", "r2"]


async def test_answers_of_a_consumer_that_does_not_follow_end_where_the_log_does(log: InMemoryLog) -> None:
    await write(log, outcome("r1"))

    async with OutcomeConsumer.over(log, start=BEGINNING, follow=False) as consumer:
        assert [each.request_id async for each in consumer.answers(["r1", "r2"])] == ["r1"]


async def test_a_record_that_is_no_outcome_is_passed_over(log: InMemoryLog, caplog: pytest.LogCaptureFixture) -> None:
    async with log.writer() as writer:
        await writer.write([Message(ACTION_OUTCOMES, b"ops", b"not Avro")])
    await write(log, outcome("good"))

    async with OutcomeConsumer.over(log, start=BEGINNING, follow=False) as consumer:
        assert [each.request_id async for each in consumer] == ["good"]
    assert "passed over action-outcomes" in caplog.text


async def test_a_wait_that_is_cancelled_loses_no_outcome(log: InMemoryLog) -> None:
    async with OutcomeConsumer.over(log) as consumer:
        waiting = asyncio.create_task(anext(consumer))
        await asyncio.sleep(0)
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
        await write(log, outcome("r1"))
        assert await seen(consumer, 1) == ["r1"]


async def test_an_error_of_the_reader_comes_out_as_it_is(log: InMemoryLog) -> None:
    with pytest.raises(KeyError, match="mine"):
        async with OutcomeConsumer.over(log):
            raise KeyError("mine")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("nonsense", "Invalid JSON"),
        ('{"params": {}}', r"\[connector_id\] Field required"),
        ('{"connector_id": "ops", "params": 1}', r"\[params\]"),
        ('{"connector_id": "ops", "params": {}, "colour": "red"}', r"\[colour\]"),
        ('{"connector_id": "' + "x" * 257 + '", "params": {}}', r"\[connector_id\]"),
        ('{"connector_id": "ops", "params": {}, "space_id": "No Space"}', r"\[space_id\]"),
        ('{"connector_id": "ops", "params": {}, "expires_at": "2026-01-01T00:00:00"}', r"\[expires_at\]"),
    ],
)
def test_a_bad_line_is_refused_with_its_number_and_reason(line: str, problem: str) -> None:
    with pytest.raises(RequestInvalid, match=f"line 2: .*{problem}"):
        list(read_requests(["", line]))


def test_a_refusal_does_not_repeat_the_params() -> None:
    with pytest.raises(RequestInvalid) as refusal:
        check_request({"connector_id": "ops", "params": "secret-looking text"})
    assert "secret-looking" not in str(refusal.value)
