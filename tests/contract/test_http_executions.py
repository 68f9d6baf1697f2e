"""Direct runs over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectory.connector_types.contract import OutgoingRequest, OutgoingResponse
from connectory.domain.execution import ErrorSource, Failed, Result, Succeeded
from connectory.gateway import connector_json
from connectory.infra.crypto import KeyRing, SecretsVault
from connectory.infra.settings import Settings
from tests.http_gateway import CONNECTOR, VIEWER, HttpGateway, http_gateway, reading_replies
from tests.unit.installation import Installation
from tests.waiting import until_answer

EXECUTE = f"{CONNECTOR}/c1/_execute"
RUN = {"params": {"body": "hello"}}


@pytest.fixture
async def gateway() -> AsyncIterator[HttpGateway]:
    async with http_gateway(await Installation().create_topics()) as gateway:
        await reading_replies(gateway)
        await gateway.create("c1")
        yield gateway


async def test_a_run_that_works_answers_what_the_target_said(gateway: HttpGateway) -> None:
    answer = await gateway.call("POST", EXECUTE, RUN)

    assert (answer.status, answer.body["status"], answer.body["connector_id"]) == (200, "ok", "c1")
    assert [call.url for call in gateway.installation.target.calls] == ["http://target/a"]


async def test_a_run_is_in_the_event_log(gateway: HttpGateway) -> None:
    await gateway.call("POST", EXECUTE, RUN)

    (final,) = await gateway.installation.final_outcomes(1)

    assert (final.source, final.requested_by, final.outcome) == ("http_request", "admin", "success")


async def test_a_failing_target_is_a_200_with_status_error(gateway: HttpGateway) -> None:
    async def refuses(request: OutgoingRequest) -> OutgoingResponse:
        return OutgoingResponse(status=404, reason="Not Found", headers={}, body=b"")

    gateway.installation.target.answer = refuses
    answer = await gateway.call("POST", EXECUTE, RUN)

    assert answer.status == 200
    assert answer.body == {
        "connector_id": "c1",
        "status": "error",
        "message": "error calling webhook, invalid response",
        "service_message": "[404] Not Found",
        "errorSource": "user",
    }


async def test_params_that_do_not_fit_are_a_200_with_status_error(gateway: HttpGateway) -> None:
    answer = await gateway.call("POST", EXECUTE, {"params": {"body": 1}})

    assert (answer.status, answer.body["retry"], answer.body["errorSource"]) == (200, False, "user")
    assert answer.body["message"].startswith("error validating action params: ✖ Invalid input: expected string")


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        (EXECUTE, {}, 400, "[request body.params]: expected value of type [object] but got [undefined]"),
        (EXECUTE, {"params": []}, 400, "[request body.params]: expected value of type [object] but got [array]"),
        (EXECUTE, {**RUN, "x": 1}, 400, "[request body.x]: definition for this key is missing"),
        (f"{CONNECTOR}/gone/_execute", RUN, 404, "Saved object [action/gone] not found"),
        (f"/s/red{EXECUTE}", RUN, 404, "Saved object [action/c1] not found"),
    ],
)
async def test_runs_that_never_start(gateway: HttpGateway, path: str, body: Any, status: int, message: str) -> None:
    answer = await gateway.call("POST", path, body)

    assert (answer.status, answer.message) == (status, message)
    assert gateway.installation.target.calls == []


@pytest.mark.parametrize(
    ("connector_id", "message"),
    [("c1", 'Unauthorized to execute a ".webhook" action'), ("gone", "Unauthorized to execute actions")],
)
async def test_a_denial_names_the_type_where_there_is_one(
    gateway: HttpGateway, connector_id: str, message: str
) -> None:
    answer = await gateway.call("POST", f"{CONNECTOR}/{connector_id}/_execute", RUN, auth=VIEWER)

    assert (answer.status, answer.message) == (403, message)


async def test_a_connector_that_the_views_do_not_show_yet_is_found(gateway: HttpGateway) -> None:
    await gateway.installation.connector("c2")

    answer = await gateway.call("POST", f"{CONNECTOR}/c2/_execute", RUN)

    assert (answer.status, answer.body["status"]) == (200, "ok")


async def test_secrets_that_no_key_opens_are_the_generic_500(gateway: HttpGateway) -> None:
    foreign = SecretsVault(KeyRing("o" * 32)).seal("c2", {"user": "ada", "password": "x"})
    await gateway.installation.connector("c2", secrets={}, sealed=foreign)

    answer = await gateway.call("POST", f"{CONNECTOR}/c2/_execute", RUN)

    text = "An internal server error occurred. Check Kibana server logs for details."
    assert (answer.status, answer.message) == (500, text)


async def test_a_type_that_is_not_registered_is_a_400(gateway: HttpGateway) -> None:
    await gateway.installation.connector("c2", connector_type_id=".gone")

    answer = await gateway.call("POST", f"{CONNECTOR}/c2/_execute", RUN)

    assert (answer.status, answer.message) == (400, 'Action type ".gone" is not registered.')


async def test_a_caller_who_leaves_does_not_stop_the_run(gateway: HttpGateway) -> None:
    let_go, called = asyncio.Event(), asyncio.Event()

    async def slow(request: OutgoingRequest) -> OutgoingResponse:
        called.set()
        await let_go.wait()
        return OutgoingResponse(status=200, reason="OK", headers={}, body=b"")

    gateway.installation.target.answer = slow
    leaving = asyncio.create_task(gateway.call("POST", EXECUTE, RUN))
    await called.wait()
    leaving.cancel()
    await asyncio.wait([leaving])
    let_go.set()

    (final,) = await gateway.installation.final_outcomes(1)
    assert final.outcome == "success"


async def test_a_run_without_an_answer_in_time_is_a_503_that_names_its_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("connectory.gateway.executions.MARGIN", timedelta(0))
    settings = Settings()
    executor = settings.executor.model_copy(update={"run_timeout": timedelta(milliseconds=200)})
    settings = settings.model_copy(update={"executor": executor})
    async with http_gateway(await Installation().create_topics(), settings=settings, roles=False) as gateway:
        answer = await until_readable(gateway)

    assert (answer.status, list(answer.body["attributes"])) == (503, ["request_id"])


async def until_readable(gateway: HttpGateway) -> Any:
    """The answer to a run, once the gateway reads replies at all."""
    return await until_answer(lambda: gateway.call("POST", EXECUTE, RUN), lambda answer: "attributes" in answer.body)


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        (Succeeded(), {"status": "ok"}),
        (Succeeded(connector_id=".t"), {"connector_id": ".t", "status": "ok"}),
        (Succeeded(data={"a": None}), {"status": "ok", "data": {"a": None}}),
        (
            Failed(message="m", service_message="", retry=True, error_source=ErrorSource.FRAMEWORK),
            {"status": "error", "message": "m", "retry": True, "errorSource": "framework"},
        ),
        (
            Failed(message="m", service_message="s", retry=datetime(2026, 1, 2, tzinfo=UTC), connector_id=".t"),
            {
                "connector_id": ".t",
                "status": "error",
                "message": "m",
                "service_message": "s",
                "retry": "2026-01-02T00:00:00.000Z",
                "errorSource": "user",
            },
        ),
    ],
)
def test_a_result_shows_the_keys_that_are_set(result: Result, shown: dict[str, Any]) -> None:
    assert connector_json.run_result("c1", result) == {"connector_id": "c1", **shown}
