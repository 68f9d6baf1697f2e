"""Outcomes as an executor writes them: a start and an end for each request."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from uuid import uuid4

from connectory.domain.execution import Action, Outcome, RequestPosition
from connectory.infra import topics
from connectory.infra.kafka import KafkaLog
from connectory.infra.log import Message
from connectory.infra.messages import Messages

CONNECTORS = 20
WRITE_AT_ONCE = 2_000


def outcomes(count: int) -> Iterator[Outcome]:
    """The last ends now, and each takes five milliseconds."""
    begin = datetime.now(UTC) - count * timedelta(milliseconds=1)
    for number in range(count // 2):
        yield from _of_request(number, begin + number * timedelta(milliseconds=2))


def _of_request(number: int, at: datetime) -> tuple[Outcome, Outcome]:
    execution_id, request_id, connector_id = str(uuid4()), str(uuid4()), f"connector-{number % CONNECTORS}"

    def outcome(action: Action, at_end: timedelta, message: str, *, ends: bool) -> Outcome:
        return Outcome(
            execution_id=execution_id,
            request_id=request_id,
            space_id="default",
            connector_id=connector_id,
            action=action,
            at=at + at_end,
            started_at=at,
            position=RequestPosition(topic=topics.ACTION_REQUESTS, partition=0, offset=number),
            final=ends,
            attempt=1,
            message=f"{message}: .webhook:{connector_id}: benchmark",
            connector_name="benchmark",
            connector_type_id=".webhook",
            connector_version=1,
            outcome="success" if ends else None,
            duration_ms=5.0 if ends else None,
            source="http_request",
            request_body_bytes=1_000 if ends else None,
        )

    return (
        outcome(Action.EXECUTE_START, timedelta(0), "action started", ends=False),
        outcome(Action.EXECUTE, timedelta(milliseconds=5), "action executed", ends=True),
    )


async def write_outcomes(log: KafkaLog, count: int) -> None:
    """Put that many on the log, over all partitions."""
    messages, left = Messages(), outcomes(count)
    async with log.writer() as writer:
        while batch := list(islice(left, WRITE_AT_ONCE)):
            await writer.write(_written(messages, batch))


def _written(messages: Messages, batch: Sequence[Outcome]) -> list[Message]:
    return [messages.message(topics.ACTION_OUTCOMES, each.connector_id, each, at=each.at) for each in batch]
