"""The executor on records that nobody should have written, and on targets that say too much: none ends a partition."""

from datetime import UTC, datetime
from typing import Any

import pytest

from connectory.connector_types.contract import OutgoingRequest, OutgoingResponse
from connectory.domain.errors import Unavailable
from connectory.domain.execution import Failed, RunContext
from connectory.domain.json_types import JsonObject
from connectory.domain.replies import RequestCompleted
from connectory.infra import topics
from connectory.infra.log import MAX_RECORD_BYTES, Message, partition_for
from tests.unit.connectors import AT
from tests.unit.installation import Installation
from tests.waiting import until

HOME = partition_for(b"c1", 2)


@pytest.fixture
async def installation() -> Installation:
    made = await Installation().create_topics()
    await made.connector()
    return made


def append(installation: Installation, message: Message, partition: int = HOME) -> None:
    """As a producer does whose records are small on the wire: compressed, they may be larger than what we write."""
    installation.log.append_raw(
        message.topic, partition, message.value, key=message.key, headers=tuple(message.headers)
    )


async def shouts(request: OutgoingRequest) -> OutgoingResponse:
    body = b'{"message": "' + b"x" * MAX_RECORD_BYTES + b'"}'
    return OutgoingResponse(status=400, reason="Bad Request", headers={}, body=body)


async def test_what_a_target_says_is_shortened_where_no_record_holds_it(installation: Installation) -> None:
    installation.target.answer = shouts
    await installation.submit("r1", reply_partition=0)
    async with installation.executor():
        (final,) = await installation.final_outcomes(1)
    (reply,) = installation.replies()
    assert final.error is not None
    assert final.error.startswith("error calling webhook, invalid response: [400] Bad Request: xxx")
    assert isinstance(reply, RequestCompleted)
    assert isinstance(reply.result, Failed)
    assert (reply.result.reason, len(installation.target.calls)) == ("message-too-large", 1)


async def test_a_result_that_redaction_makes_too_large_is_answered_as_a_failure(installation: Installation) -> None:
    await installation.connector(secrets={"user": "u", "password": "pass"})
    await installation.submit("r1", reply_partition=0, params={"body": "pass" * 200_000})
    async with installation.executor():
        (final,) = await installation.final_outcomes(1)
    (reply,) = installation.replies()
    assert isinstance(reply, RequestCompleted)
    assert isinstance(reply.result, Failed)
    assert (final.outcome, reply.result.reason) == ("success", "message-too-large")


@pytest.mark.parametrize("partition", [77, -1])
async def test_a_request_whose_answer_has_nowhere_to_go_runs_all_the_same(
    installation: Installation, partition: int
) -> None:
    await installation.submit("r1", reply_partition=partition)
    async with installation.executor():
        (final,) = await installation.final_outcomes(1)
    assert (final.outcome, installation.replies()) == ("success", [])


async def test_a_connector_that_is_garbage_is_the_reason_of_its_requests(installation: Installation) -> None:
    installation.log.append_raw(topics.CONNECTORS, HOME, b"garbage", key=b"c1")
    installation.log.append_raw(topics.CONNECTORS, HOME, b"garbage", key=b"\xff")
    await installation.submit("r1", max_attempts=1)
    async with installation.executor():
        (final,) = await installation.final_outcomes(1)
    assert (final.outcome, final.reason) == ("failure", "undecodable")


async def test_a_dead_letter_without_its_record_stands_for_one_that_is_too_large(installation: Installation) -> None:
    installation.log.append_raw(topics.ACTION_REQUESTS, HOME, b"x" * MAX_RECORD_BYTES, key=b"c1")
    await installation.submit("r1")
    async with installation.executor():
        await installation.final_outcomes(1)
        (letter,) = await until(installation.dead_letters)
    assert (letter.offset, letter.value) == (0, None)
    assert "too large to be kept here" in letter.message


async def test_a_request_on_a_foreign_partition_that_cannot_be_moved_ends_with_the_reason(
    installation: Installation,
) -> None:
    append(installation, installation.request_message("r1", params={"body": "x" * 2_000_000}), 1 - HOME)
    async with installation.executor():
        (final,) = await installation.final_outcomes(1)
    assert (final.position.partition, final.reason) == (1 - HOME, "message-too-large")
    assert (final.error or "").startswith(f"the request belongs on partition {HOME}, keyed by its connector id")


@pytest.mark.parametrize("field", ["request_id", "connector_id", "space_id", "ordering_key", "redrive_of"])
async def test_a_request_with_an_endless_id_is_a_dead_letter(installation: Installation, field: str) -> None:
    fields: dict[str, Any] = {"request_id": "r1", "connector_id": "c1", field: "x" * 200_000}
    append(installation, installation.request_message(**fields))
    async with installation.executor():
        (letter,) = await until(installation.dead_letters)
    assert letter.message == "An id or the ordering key of the request is longer than 256 characters"


async def test_texts_of_any_length_are_shortened_in_outcomes(installation: Installation) -> None:
    append(installation, installation.request_message(source="s" * 1_100_000, requested_by="b" * 1_100_000))
    async with installation.executor():
        (final,) = await installation.final_outcomes(1)
    assert (final.outcome, len(final.source or "")) == ("success", 10_001)


async def test_a_context_that_no_outcome_holds_is_left_out(installation: Installation) -> None:
    context = RunContext(consumer="alerts", related_objects="x" * 1_100_000)
    append(installation, installation.request_message(context=context))
    async with installation.executor():
        (final,) = await installation.final_outcomes(1)
    assert (final.outcome, final.context) == ("success", None)


async def test_an_answer_that_is_nested_beyond_reason_is_answered_as_a_failure(installation: Installation) -> None:
    depth = 600

    async def nests(request: OutgoingRequest) -> OutgoingResponse:
        body = b'{"a":' * depth + b"1" + b"}" * depth
        return OutgoingResponse(status=202, reason="", headers={"content-type": "application/json"}, body=body)

    installation.target.answer = nests
    secrets: JsonObject = {"routingKey": "r" * 20}
    await installation.connector(secrets=secrets, connector_type_id=".pagerduty", config={"apiUrl": None})
    params = {"eventAction": "resolve", "dedupKey": "k"}
    await installation.submit("r1", reply_partition=0, params=params)
    async with installation.executor():
        (final,) = await installation.final_outcomes(1)
    assert final.error == "the answer of the target is nested too deeply to be looked through for secrets"
    assert len(installation.target.calls) == 1


@pytest.mark.parametrize("moment", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)])
async def test_moments_far_away_are_moments(installation: Installation, moment: datetime) -> None:
    await installation.submit("r1", requested_at=moment, expires_at=moment)
    async with installation.executor():
        (final,) = await installation.final_outcomes(1)
    assert final.outcome == ("success" if moment > AT else "failure")


async def test_a_broker_that_is_away_while_a_connector_is_looked_for_costs_no_request() -> None:
    away: list[str] = []

    async def before(operation: str) -> None:
        if operation in away:
            away.remove(operation)
            raise Unavailable("the broker is away")

    installation = await Installation(before=before).create_topics()
    async with installation.executor():
        await installation.submit("r0", connector_id="nowhere")
        await installation.final_outcomes(1)
        away.append("end-offset")
        await installation.submit("r1", connector_id="elsewhere")
        *_, final = await installation.final_outcomes(2)
    assert (away, final.reason) == ([], "connector-not-found")
