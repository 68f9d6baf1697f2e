"""The engine of sub-actions: what is refused, in which words, what is sent, and what comes back."""

import json
from typing import Any

import pytest

from connectory.connector_types.contract import (
    ConnectorType,
    EgressFailed,
    EgressRefused,
    OutgoingResponse,
    TypeSettings,
)
from connectory.connector_types.registry import TypeRegistry
from connectory.connector_types.schemas import Answer, Nothing, Schema
from connectory.connector_types.services import HttpFailure, Service, answer_json
from connectory.connector_types.sub_actions import (
    SubAction,
    SubActionParams,
    SubActions,
    allow_listed,
    user_when_throttled,
)
from connectory.domain.errors import Refused
from connectory.domain.execution import ErrorSource, Failed, Result, Succeeded
from connectory.domain.json_types import Json
from connectory.infra.egress import AllowedHosts
from tests.connector_runs import run_action
from tests.fakes.egress import FakeEgress, responds


class Config(Schema):
    api_url: str


class Ticket(Schema):
    title: str


class Opened(Answer):
    id: str


async def open_ticket(desk: Service[Config, Nothing], ticket: Ticket) -> Json:
    url = f"{desk.config.api_url}//tickets/"
    opened = await desk.request("POST", url, Opened, data={"title": ticket.title}, headers={"X-Key": "k"})
    return answer_json(opened)


async def ping(desk: Service[Config, Nothing], _params: Nothing) -> Json:
    await desk.send("POST", desk.config.api_url)
    return None


def said(failure: HttpFailure) -> str:
    return f"{failure.reason} {failure.body} {failure.message}"


DESK: SubActions[Config, Nothing] = SubActions(
    type_id=".desk",
    type_name="Desk",
    actions=[
        SubAction(name="openTicket", title="Open a ticket", params=Ticket, run=open_ticket),
        SubAction(name="ping", params=Nothing, run=ping),
    ],
    describe=said,
    blame=user_when_throttled,
)
TYPE = ConnectorType(
    id=".desk",
    name="Desk",
    minimum_license="basic",
    feature_ids=(),
    config=Config,
    secrets=Nothing,
    params=SubActionParams,
    execute=DESK.execute,
    check_config=allow_listed("api_url"),
    sub_actions=DESK.infos,
)
types = TypeRegistry([TYPE], settings=TypeSettings(hosts=AllowedHosts(["*"])))


async def run(egress: FakeEgress, name: str = "openTicket", url: str = "https://desk.test/v1", **params: Any) -> Result:
    wanted = {"subAction": name, "subActionParams": params}
    return await run_action(types, ".desk", wanted, config={"apiUrl": url}, egress=egress)


def answers(value: object, status: int = 200, reason: str = "") -> OutgoingResponse:
    return responds(status, reason, json.dumps(value).encode())


def raised(text: str, source: ErrorSource = ErrorSource.FRAMEWORK, **fields: Any) -> Failed:
    message = "an error occurred while running the action"
    return Failed(message=message, service_message=text, retry=True, error_source=source, reason="run-failed", **fields)


async def test_a_call_is_sent_as_json_to_a_normalised_url_and_the_answer_comes_back_whole() -> None:
    egress = FakeEgress(answers({"id": "7", "other": [1]}))

    result = await run(egress, title="A")

    assert result == Succeeded(data={"id": "7", "other": [1]}, request_body_bytes=13)
    assert egress.sent.url == "https://desk.test/v1/tickets"
    assert (egress.sent.body, egress.sent.headers) == (
        b'{"title":"A"}',
        {"Content-Type": "application/json", "X-Key": "k"},
    )


async def test_no_data_is_an_empty_object_and_no_result_too() -> None:
    egress = FakeEgress()

    assert await run(egress, "ping") == Succeeded(data={}, request_body_bytes=2)
    assert egress.sent.body == b"{}"


async def test_an_unknown_sub_action_is_named_with_its_connector() -> None:
    text = 'Sub action "fly" is not registered. Connector id: c1. Connector name: Desk. Connector type: .desk'

    assert await run(FakeEgress(), "fly") == raised(text)


async def test_params_that_do_not_fit_are_the_users_fault() -> None:
    text = "Request validation failed (✖ Invalid input: expected string, received number\n  → at title)"

    assert await run(FakeEgress(), title=1) == raised(text, ErrorSource.USER)


async def test_an_answer_that_does_not_fit_is_a_failure() -> None:
    text = "Response validation failed (✖ Invalid input: expected string, received undefined\n  → at id)"

    assert await run(FakeEgress(answers({"a": 1})), title="A") == raised(text)


@pytest.mark.parametrize(("status", "source"), [(404, ErrorSource.FRAMEWORK), (429, ErrorSource.USER)])
async def test_a_refusal_is_worded_by_the_type(status: int, source: ErrorSource) -> None:
    text = f"Status code: {status}. Message: No {{'m': 1}} Request failed with status code {status}"

    result = await run(FakeEgress(answers({"m": 1}, status, "No")), title="A")

    assert result == raised(text, source, status=status, undelivered=status == 429)


async def test_without_an_answer_the_status_is_undefined() -> None:
    result = await run(FakeEgress(EgressFailed("connect ECONNREFUSED", "ECONNREFUSED")), title="A")

    assert result == raised("Status code: undefined. Message:  None connect ECONNREFUSED", undelivered=True)


async def test_a_call_that_is_not_allowed_stays_the_users_and_is_not_tried_again() -> None:
    result = await run(FakeEgress(EgressRefused("guarded")), title="A")

    assert isinstance(result, Failed)
    assert (result.retry, result.error_source, result.reason) == (False, ErrorSource.USER, "egress-refused")


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("ftp://desk.test", "URL Error: Invalid protocol"),
        ("nonsense", "URL Error: Invalid URL"),
    ],
)
async def test_a_url_is_judged_before_every_call(url: str, text: str) -> None:
    egress = FakeEgress()

    assert await run(egress, "ping", url) == raised(text)
    assert egress.requests == []


async def test_a_host_that_is_not_listed_is_refused_when_saved_and_when_run() -> None:
    closed = TypeRegistry([TYPE], settings=TypeSettings(hosts=AllowedHosts(["other.test"])))
    text = 'target url "https://desk.test" is not added to the Kibana config xpack.actions.allowedHosts'

    with pytest.raises(Refused) as caught:
        closed.check(".desk", {"apiUrl": "https://desk.test"}, {})
    assert caught.value.message == f"error validating connector type config: error validating url: {text}"
