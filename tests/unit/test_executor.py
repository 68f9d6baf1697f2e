"""The executor on the log in memory: what becomes of requests."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from connectory.connector_types.contract import OutgoingRequest, OutgoingResponse, TypeSettings
from connectory.connector_types.registry import TypeRegistry
from connectory.domain.errors import Unavailable
from connectory.domain.execution import Action, Delivery
from connectory.domain.json_types import JsonObject
from connectory.domain.replies import RequestCompleted
from connectory.infra import topics
from connectory.infra.egress.hosts import AllowedHosts
from connectory.infra.headers import FORWARDED_FROM
from connectory.infra.log import partition_for
from tests.unit.connectors import AT
from tests.unit.installation import Installation, says_ok
from tests.waiting import until, until_many


@pytest.fixture
async def installation() -> Installation:
    return await Installation().create_topics()


def sent_bodies(installation: Installation) -> list[str]:
    bodies = [call.body for call in installation.target.calls]
    return [body.decode() if isinstance(body, bytes) else body or "" for body in bodies]


async def test_a_request_is_carried_out_and_both_ends_are_recorded(installation: Installation) -> None:
    await installation.connector()
    await installation.submit("r1")
    async with installation.executor():
        (final,) = await installation.final_outcomes(1)
    start, _ = installation.outcomes("r1")
    assert (start.action, final.action, final.outcome) == (Action.EXECUTE_START, Action.EXECUTE, "success")
    assert start.execution_id == final.execution_id
    assert final.message == "action executed: .webhook:c1: hook"
    assert sent_bodies(installation) == ["r1"]


async def test_a_target_that_refuses_is_a_failure_with_its_reason(installation: Installation) -> None:
    async def refuses(request: OutgoingRequest) -> OutgoingResponse:
        return OutgoingResponse(status=404, reason="Not Found", headers={}, body=b"")

    installation.target.answer = refuses
    await installation.connector()
    await installation.submit("r1")
    async with installation.executor():
        (final,) = await installation.final_outcomes(1)
    assert (final.outcome, final.reason) == ("failure", "target-failed")
    assert final.error == "error calling webhook, invalid response: [404] Not Found"


async def test_a_connector_created_just_before_the_request_is_found(installation: Installation) -> None:
    async with installation.executor():
        await installation.connector("warm")
        await installation.submit("w", connector_id="warm")
        await installation.final_outcomes(1)
        await installation.connector("c1")
        await installation.submit("r1")
        finals = await installation.final_outcomes(2)
    assert [final.outcome for final in finals] == ["success", "success"]


@pytest.mark.parametrize(
    ("changes", "reason", "error"),
    [
        ({"connector_id": "nowhere"}, "connector-not-found", "Saved object [action/nowhere] not found"),
        ({"space_id": "red"}, "connector-not-found", "Saved object [action/c1] not found"),
        ({"connector_version": 7}, "connector-version-mismatch", "the request is for version 7 of the connector"),
        ({"expires_at": AT - timedelta(1)}, "expired", "the request was to run before 2025-12-31T12:00:00.000Z"),
        ({"params": {"body": 1}}, "params-invalid", "error validating action params: "),
        ({"params": {"other": "x"}}, "params-invalid", "error validating action params: "),
    ],
)
async def test_a_request_that_cannot_start_ends_with_the_reason(
    installation: Installation, changes: dict[str, Any], reason: str, error: str
) -> None:
    await installation.connector()
    await installation.submit("r1", max_attempts=1, **changes)
    async with installation.executor():
        (final,) = await installation.final_outcomes(1)
    assert (final.outcome, final.reason, installation.target.calls) == ("failure", reason, [])
    assert final.error is not None
    assert final.error.startswith(error)
    assert len(installation.outcomes()) == 1


async def test_secrets_that_cannot_be_opened_are_our_failure(installation: Installation) -> None:
    foreign = installation.vault.seal("other", {"user": "u", "password": "p"})
    await installation.connector(sealed=foreign)
    await installation.submit("r1", max_attempts=1)
    async with installation.executor():
        (final,) = await installation.final_outcomes(1)
    assert (final.reason, final.error) == ("secrets-unreadable", 'Unable to decrypt attribute "secrets"; retry: true')


async def test_records_that_cannot_be_read_become_dead_letters_byte_for_byte(installation: Installation) -> None:
    good = installation.request_message("r1")
    garbage = [b"\x93random", good.value[:20] if good.value else b"", b"\x00\x00\x00\x27\x0fabc", None]
    await installation.connector()
    await installation.write(*(good._replace(value=value) for value in garbage), good)
    async with installation.executor():
        await installation.final_outcomes(1)
        letters = await until_many(installation.dead_letters, 4)
    assert [letter.value for letter in letters] == garbage
    assert {(letter.topic, letter.reason) for letter in letters} == {(topics.ACTION_REQUESTS, "undecodable")}


async def test_a_request_on_a_foreign_partition_is_forwarded_home_and_runs_once(installation: Installation) -> None:
    foreign = 1 - partition_for(b"c1", 2)
    await installation.connector()
    await installation.write(installation.request_message("r1")._replace(partition=foreign))
    async with installation.executor():
        (final,) = await installation.final_outcomes(1)
    first, second = installation.log.records(topics.ACTION_REQUESTS)
    assert final.position.partition == 1 - foreign
    assert {first.value} == {second.value}
    assert sum((FORWARDED_FROM, str(foreign).encode()) in record.headers for record in (first, second)) == 1


async def test_the_same_request_id_runs_once(installation: Installation) -> None:
    await installation.connector()
    await installation.submit("r1", "r1", "r2")
    async with installation.executor():
        await installation.final_outcomes(2)
        await until(lambda: len(installation.outcomes()) == 5)
    assert sorted(sent_bodies(installation)) == ["r1", "r2"]
    assert [each.action for each in installation.outcomes("r1") if not each.final] == [
        Action.DUPLICATE,
        Action.EXECUTE_START,
    ]


async def test_the_same_request_id_runs_once_also_across_a_restart(installation: Installation) -> None:
    await installation.connector()
    await installation.submit("r1")
    async with installation.executor():
        await installation.final_outcomes(1)
    await installation.submit("r1")
    async with installation.executor():
        await until(lambda: any(each.action is Action.DUPLICATE for each in installation.outcomes()))
    assert sent_bodies(installation) == ["r1"]


async def test_a_slow_target_does_not_delay_other_connectors(installation: Installation) -> None:
    hanging = asyncio.Event()

    async def hangs_for_one(request: OutgoingRequest) -> OutgoingResponse:
        if request.url.endswith("/slow"):
            await hanging.wait()
        return OutgoingResponse(status=200, reason="OK", headers={}, body=b"")

    installation.target.answer = hangs_for_one
    await installation.connector("slow")
    await installation.connector("c1")
    await installation.submit(*(f"s{n}" for n in range(100)), connector_id="slow")
    await installation.submit("r1", "r2")
    async with installation.executor():
        finals = await installation.final_outcomes(2)
        hanging.set()
    assert {final.request_id for final in finals[:2]} == {"r1", "r2"}


async def test_an_interrupted_attempt_is_run_again_and_both_are_marked(installation: Installation) -> None:
    await interrupt(installation)
    async with installation.executor():
        (final,) = await installation.final_outcomes(1)
    first, marked, second, last = installation.outcomes("r1")
    assert (marked.execution_id, marked.outcome, marked.possible_duplicate) == (first.execution_id, "unknown", True)
    assert (second.attempt, second.possible_duplicate, last) == (2, True, final)
    assert (final.outcome, final.possible_duplicate) == ("success", True)


async def test_with_at_most_once_an_interrupted_attempt_ends_as_unknown(installation: Installation) -> None:
    await interrupt(installation, delivery=Delivery.AT_MOST_ONCE)
    calls = len(installation.target.calls)
    async with installation.executor():
        (final,) = await installation.final_outcomes(1)
    assert (final.outcome, final.reason, len(installation.target.calls) - calls) == ("unknown", "in-doubt", 0)


async def test_a_request_done_before_a_restart_is_not_run_again(installation: Installation) -> None:
    await interrupt(installation, "held")
    installation.target.calls.clear()
    await installation.submit("r2")
    async with installation.executor():
        await installation.final_outcomes(2)
    async with installation.executor():
        await installation.submit("r3")
        await installation.final_outcomes(3)
    assert sent_bodies(installation) == ["held", "r2", "r3"]


class Broker:
    """Takes no writes while it `is_away`, and counts what it is asked for."""

    def __init__(self) -> None:
        self.is_away = False
        self.asked: Counter[str] = Counter()

    async def before(self, operation: str) -> None:
        self.asked[operation] += 1
        if self.is_away and operation == "write":
            raise Unavailable("the broker is away")


async def test_an_outcome_that_waits_for_the_broker_counts_when_its_partition_comes_back() -> None:
    broker = Broker()

    async def answers_and_breaks_the_broker(request: OutgoingRequest) -> OutgoingResponse:
        broker.is_away = broker.asked["join"] == 1
        return await says_ok(request)

    installation = await Installation(before=broker.before).create_topics()
    installation.target.answer = answers_and_breaks_the_broker
    await installation.connector("c4")  # its partition is the one that the first member keeps
    await installation.submit("r1", connector_id="c4")
    async with installation.executor():
        await until(lambda: broker.is_away)
        async with installation.executor():
            await until(lambda: broker.asked["claim"] == 3)  # by the second member; the first one has to write before
            tried = broker.asked["write"]
            await until(lambda: broker.asked["write"] == tried + 2)
            broker.is_away = False
            await installation.submit("r2", connector_id="c4")
            await until(lambda: "r2" in {final.request_id for final in installation.finals()})
    assert sent_bodies(installation) == ["r1", "r2"]


async def test_a_run_over_its_time_limit_is_cancelled_and_recorded(installation: Installation) -> None:
    installation.target.answer = never
    await installation.connector()
    await installation.submit("r1", max_attempts=1)
    installation.run_timeout = timedelta(milliseconds=20)
    async with installation.executor():
        (final,) = await installation.final_outcomes(1)
    assert (final.action, final.outcome, final.reason) == (Action.EXECUTE_TIMEOUT, "failure", "run-timeout")


async def test_whoever_waits_gets_the_result_on_its_partition(installation: Installation) -> None:
    await installation.connector()
    await installation.submit("r1", reply_partition=1)
    async with installation.executor():
        (reply,) = await until(installation.replies)
    assert isinstance(reply, RequestCompleted)
    assert (reply.request_id, installation.log.records(topics.REPLIES)[0].partition) == ("r1", 1)


async def test_secrets_are_redacted_from_what_refuses_the_connector(installation: Installation) -> None:
    installation.registry = TypeRegistry(settings=TypeSettings(hosts=AllowedHosts(["other.test"])))
    secrets: JsonObject = {"webhookUrl": "https://hooks.test/services/hunter2hunter2"}
    await installation.connector(secrets=secrets, connector_type_id=".slack", config={})
    await installation.submit("r1", reply_partition=0, params={"message": "hello"})
    async with installation.executor():
        (final,) = await installation.final_outcomes(1)
    assert "is not added to the Kibana config xpack.actions.allowedHosts" in (final.error or "")
    assert "hunter2" not in f"{final}{installation.replies()}"


async def test_secrets_are_redacted_from_what_the_target_says(installation: Installation) -> None:
    async def tells(request: OutgoingRequest) -> OutgoingResponse:
        body = b'{"message": "user ada with hunter2hunter2 is unknown"}'
        return OutgoingResponse(status=400, reason="Bad Request", headers={}, body=body)

    installation.target.answer = tells
    await installation.connector(secrets={"user": "someone", "password": "hunter2hunter2"})
    await installation.submit("r1")
    async with installation.executor():
        (final,) = await installation.final_outcomes(1)
    assert final.error is not None
    assert "hunter2" not in final.error
    assert "is unknown" in final.error


async def never(request: OutgoingRequest) -> OutgoingResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def interrupt(installation: Installation, request_id: str = "r1", **changes: Any) -> None:
    """Leave a request behind whose attempt has begun and has no end, as a killed executor does."""
    installation.target.answer = never
    await installation.connector()
    await installation.submit(request_id, **changes)
    async with installation.executor():
        await until(lambda: installation.target.calls)
    installation.target = type(installation.target)()
