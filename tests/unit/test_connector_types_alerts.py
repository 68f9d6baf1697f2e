"""`.opsgenie` and `.jira-service-management`: the alerts that are sent, and what each answer means."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from connectory.connector_types.contract import EgressFailed
from connectory.domain.errors import Refused
from connectory.domain.execution import ErrorSource, Failed, Result, Succeeded
from tests.connector_runs import run_action
from tests.connector_types import registry, rendered
from tests.fakes.egress import FakeEgress, responds

ACCEPTED = {"took": 0.1, "requestId": "r1", "result": "Request will be processed", "more": 1}
PATHS = {".opsgenie": "/v2/alerts", ".jira-service-management": "/jsm/ops/integration/v2/alerts"}

both_types = pytest.mark.parametrize("type_id", PATHS)


def accepting() -> FakeEgress:
    return FakeEgress(responds(202, body=json.dumps(ACCEPTED).encode()))


async def call(type_id: str, egress: FakeEgress, sub_action: str, params: dict[str, Any]) -> Result:
    return await run_action(
        registry(),
        type_id,
        {"subAction": sub_action, "subActionParams": params},
        config={"apiUrl": "https://alerts.test/some/path"},
        secrets={"apiKey": "key"},
        egress=egress,
    )


def failure_of(result: Result) -> Failed:
    assert isinstance(result, Failed)
    return result


@both_types
async def test_an_alert_is_created_at_the_origin_of_the_url(type_id: str) -> None:
    egress = accepting()
    alert = {"message": "m", "alias": "a", "priority": "P1", "details": {"k": "v"}, "tags": ["t"]}

    result = await call(type_id, egress, "createAlert", alert)

    assert isinstance(result, Succeeded)
    assert result.data == ACCEPTED
    assert (egress.sent.method, egress.sent.url) == ("POST", f"https://alerts.test{PATHS[type_id]}")
    assert egress.sent.headers == {"Content-Type": "application/json", "Authorization": "GenieKey key"}
    assert json.loads(egress.sent.body or b"") == alert


@both_types
async def test_an_alert_is_closed_by_its_alias(type_id: str) -> None:
    egress = accepting()

    await call(type_id, egress, "closeAlert", {"alias": "rule:1/2", "note": "done"})

    assert egress.sent.url == f"https://alerts.test{PATHS[type_id]}/rule:1%2F2/close?identifierType=alias"
    assert json.loads(egress.sent.body or b"") == {"note": "done"}


@both_types
async def test_a_long_message_is_cut_and_a_long_alias_known_by_its_digest(
    type_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    egress = accepting()

    await call(type_id, egress, "createAlert", {"message": "m" * 131, "alias": "a" * 513})

    body = json.loads(egress.sent.body or b"")
    assert (len(body["message"]), body["alias"][:4], len(body["alias"])) == (130, "sha-", 68)
    assert "has 131 characters" in caplog.text


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (responds(422, "No", b'{"message": "bad"}'), "Status code: 422. Message: bad"),
        (responds(422, "No", b'{"message": "bad", "errors": {"a": 1}}'), 'Status code: 422. Message: bad: {"a":1}'),
        (responds(500, "No", b"<html>"), "Status code: 500. Message: Request failed with status code 500"),
        (EgressFailed("gone"), "Status code: undefined. Message: gone"),
        (responds(202, body=b"{}"), "Response validation failed (✖ "),
    ],
)
async def test_what_a_failure_says(answer: Any, told: str) -> None:
    failure = failure_of(await call(".opsgenie", FakeEgress(answer), "createAlert", {"message": "m"}))

    assert failure.message == "an error occurred while running the action"
    assert (failure.service_message or "").startswith(told)
    assert (failure.retry, failure.error_source) == (True, ErrorSource.FRAMEWORK)


def too_much() -> Iterator[tuple[dict[str, Any], str]]:
    sizes = {"description": 15_000, "entity": 512, "source": 100, "user": 100, "note": 25_000}
    for name, most in sizes.items():
        text = f"Too big: expected string to have <={most} characters\n  → at {name}"
        yield {"message": "m", name: "x" * (most + 1)}, text
    yield {"message": "m" * 15_001}, "Too big: expected string to have <=15000 characters\n  → at message"
    yield {"message": " "}, "must be populated with a value other than just whitespace\n  → at message"
    yield {"message": "m", "tags": ["t"] * 21}, "Too big: expected array to have <=20 items\n  → at tags"
    yield {"message": "m", "actions": ["a"] * 11}, "Too big: expected array to have <=10 items\n  → at actions"
    yield (
        {"message": "m", "priority": "P6"},
        'Invalid option: expected one of "P1"|"P2"|"P3"|"P4"|"P5"\n  → at priority',
    )


@both_types
@pytest.mark.parametrize(("params", "problem"), list(too_much()))
async def test_params_that_do_not_fit_are_the_users_fault(type_id: str, params: dict[str, Any], problem: str) -> None:
    failure = failure_of(await call(type_id, FakeEgress(), "createAlert", params))

    assert failure.service_message == f"Request validation failed (✖ {problem})"
    assert failure.error_source is ErrorSource.USER


@pytest.mark.parametrize(
    ("type_id", "responder", "fits"),
    [
        (".opsgenie", {"name": "n", "type": "team"}, True),
        (".opsgenie", {"id": "i", "type": "escalation"}, True),
        (".opsgenie", {"username": "u", "type": "user"}, True),
        (".opsgenie", {"username": "u", "type": "team"}, False),
        (".jira-service-management", {"id": "i", "type": "schedule"}, True),
        (".jira-service-management", {"name": "n", "type": "team"}, False),
    ],
)
async def test_who_may_be_a_responder(type_id: str, responder: dict[str, str], fits: bool) -> None:
    result = await call(type_id, accepting(), "createAlert", {"message": "m", "responders": [responder]})

    assert isinstance(result, Succeeded) is fits


async def test_an_unknown_sub_action_is_named() -> None:
    failure = failure_of(await call(".opsgenie", FakeEgress(), "dance", {}))

    assert failure.service_message == (
        'Sub action "dance" is not registered. Connector id: c1. Connector name: Opsgenie. Connector type: .opsgenie'
    )


async def test_jira_service_management_may_answer_with_a_code() -> None:
    answer = {"code": 422, "errors": [{"title": "t", "code": "c"}]}

    result = await call(
        ".jira-service-management",
        FakeEgress(responds(202, body=json.dumps(answer).encode())),
        "createAlert",
        {"message": "m"},
    )

    assert isinstance(result, Succeeded)
    assert result.data == answer


@both_types
def test_the_tags_of_a_rule_become_tags_of_the_alert(type_id: str) -> None:
    params = {"subAction": "createAlert", "subActionParams": {"message": "{{a}}", "tags": ["{{rule.tags}}", "{{a}}"]}}
    variables = {"a": "b", "rule": {"tags": ["one", 2, "two"]}}

    assert rendered(type_id, params, variables)["subActionParams"] == {"message": "b", "tags": ["b", "one", "two"]}


@both_types
def test_the_host_has_to_be_allowed(type_id: str) -> None:
    with pytest.raises(Refused, match="config: error validating url: target url"):
        registry(["other.test"]).check(type_id, {"apiUrl": "https://alerts.test"}, {"apiKey": "key"})
