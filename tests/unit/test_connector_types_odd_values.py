"""Values that nobody means to send, and everybody does: each ends with a text that tells, never with a crash."""

import json
from typing import Any

import pytest

from connectory.connector_types.contract import OutgoingResponse
from connectory.domain.errors import Refused
from connectory.domain.execution import Failed, Result, Succeeded
from tests.connector_runs import run_action
from tests.connector_types import registry
from tests.fakes.egress import FakeEgress, responds

HALF_A_PAIR = "\ud800"
ALERTS: dict[str, Any] = {"config": {"apiUrl": "https://a.test"}, "secrets": {"apiKey": "key"}}
JIRA: dict[str, Any] = {
    "config": {"apiUrl": "https://a.test", "projectKey": "OPS"},
    "secrets": {"email": "me@a.test", "apiToken": "token"},
}
SLACK: dict[str, Any] = {"secrets": {"token": "token"}}
PAGERDUTY: dict[str, Any] = {"secrets": {"routingKey": "key"}}
GEN_AI: dict[str, Any] = {
    "config": {"apiProvider": "OpenAI", "apiUrl": "https://a.test/v1"},
    "secrets": {"apiKey": "key"},
}


def sub_action(name: str, **params: Any) -> dict[str, Any]:
    return {"subAction": name, "subActionParams": params}


async def run(type_id: str, params: dict[str, Any], connector: dict[str, Any], answer: OutgoingResponse) -> Result:
    return await run_action(registry(), type_id, params, egress=FakeEgress(answer), **connector)


@pytest.mark.parametrize(
    "timestamp",
    ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9" * 20, "9" * 5000, "Fri, 32 Jan 2026 00:00:00 GMT"],
)
async def test_a_time_that_cannot_be_is_refused_as_one(timestamp: str) -> None:
    with pytest.raises(Refused) as refused:
        await run(".pagerduty", {"timestamp": timestamp}, PAGERDUTY, responds(202))

    assert refused.value.message == f'error validating action params: ✖ error parsing timestamp "{timestamp}"'


async def test_what_a_refusal_quotes_can_be_written() -> None:
    with pytest.raises(Refused, match=r'error parsing timestamp "\?"'):
        await run(".pagerduty", {"timestamp": HALF_A_PAIR}, PAGERDUTY, responds(202))


async def test_half_a_character_is_refused_where_characters_are_counted() -> None:
    with pytest.raises(Refused, match="half of a surrogate pair is no character\n  → at summary"):
        await run(".pagerduty", {"summary": HALF_A_PAIR}, PAGERDUTY, responds(202))


@pytest.mark.parametrize(
    ("type_id", "params", "connector"),
    [
        (".opsgenie", sub_action("createAlert", message="m", alias=HALF_A_PAIR * 600), ALERTS),
        (".opsgenie", sub_action("closeAlert", alias=HALF_A_PAIR), ALERTS),
        (".jira", sub_action("issue", id=HALF_A_PAIR), JIRA),
        (".jira", sub_action("issues", title=HALF_A_PAIR), JIRA),
        (".slack_api", sub_action("validChannelId", channelId=HALF_A_PAIR), SLACK),
    ],
)
async def test_half_a_character_is_sent_as_a_question_mark(
    type_id: str, params: dict[str, Any], connector: dict[str, Any]
) -> None:
    result = await run(type_id, params, connector, responds(400))

    assert isinstance(result, Failed)
    assert result.reason != "internal", result.service_message


NOT_JSON = ['{"a": NaN}', '{"a": 1e999}', "[" * 100_000]


@pytest.mark.parametrize("text", NOT_JSON)
@pytest.mark.parametrize(
    ("type_id", "connector", "params"),
    [
        (".pagerduty", PAGERDUTY, lambda text: {"customDetails": text}),
        (".jira", JIRA, lambda text: sub_action("pushToService", incident={"summary": "s", "otherFields": text})),
        (".slack_api", SLACK, lambda text: sub_action("postBlockkit", channels=["c"], text=text)),
    ],
)
async def test_json_that_is_none_is_refused(type_id: str, connector: dict[str, Any], params: Any, text: str) -> None:
    with pytest.raises(Refused, match=r"expected record, received string|block kit body is not valid JSON - "):
        await run(type_id, params(text), connector, responds(200))


@pytest.mark.parametrize("text", NOT_JSON)
async def test_a_body_for_a_model_that_is_no_json_passes_untouched(text: str) -> None:
    egress = FakeEgress(responds(500))

    await run_action(registry(), ".gen-ai", sub_action("run", body=text), egress=egress, **GEN_AI)

    assert egress.sent.body == text.encode()


@pytest.mark.parametrize("body", [text.encode() for text in NOT_JSON])
async def test_an_answer_that_nobody_could_write_again_is_no_json(body: bytes) -> None:
    result = await run(
        ".slack_api", sub_action("postMessage", channels=["c"], text="t"), SLACK, responds(200, body=body)
    )

    assert isinstance(result, Failed)
    assert result.service_message == body.decode()


@pytest.mark.parametrize("tokens", [-1, 1e300, 2**63])
async def test_usage_that_cannot_be_is_an_answer_that_does_not_fit(tokens: float) -> None:
    usage = {"prompt_tokens": tokens, "completion_tokens": 1, "total_tokens": 2}
    body = json.dumps({"choices": [], "usage": usage}).encode()

    result = await run(".gen-ai", sub_action("run", body="{}"), GEN_AI, responds(200, body=body))

    assert isinstance(result, Failed)
    assert (result.service_message or "").startswith("Response validation failed (✖ Too ")


async def test_whole_numbers_of_an_answer_stay_whole() -> None:
    body = b'{"took": 1, "requestId": "r", "result": "r"}'

    result = await run(".opsgenie", sub_action("closeAlert", alias="a"), ALERTS, responds(202, body=body))

    assert isinstance(result, Succeeded)
    assert json.dumps(result.data) == body.decode()


async def test_an_issue_with_a_time_that_cannot_be_is_pushed() -> None:
    issue = {"id": "7", "key": "OPS-7", "fields": {"created": "9999-12-31T23:59:59-1400"}}
    answer = responds(200, body=json.dumps(issue).encode(), headers={"content-type": "application/json"})

    result = await run(".jira", sub_action("pushToService", incident={"summary": "s"}), JIRA, answer)

    assert isinstance(result, Succeeded)


@pytest.mark.parametrize("answer", [{"ok": False}, {"ok": "true"}])
async def test_a_refusal_of_slack_without_a_reason_has_none(answer: dict[str, Any]) -> None:
    params = sub_action("postMessage", channels=["c"], text="t")

    result = await run(".slack_api", params, SLACK, responds(200, body=json.dumps(answer).encode()))

    assert isinstance(result, Failed)
    assert (result.message, result.service_message) == ("error posting slack message", None)


async def test_a_union_that_does_not_fit_is_one_problem() -> None:
    params = sub_action("createAlert", message="m", responders=[{"name": "a", "type": "pigeon"}])

    result = await run(".opsgenie", params, ALERTS, responds(202))

    assert isinstance(result, Failed)
    assert result.service_message == "Request validation failed (✖ Invalid input\n  → at responders[0])"
