"""`.slack` and `.slack_api`: what is sent, and what each answer means."""

import json
from typing import Any

import pytest

from connectory.connector_types.contract import EgressFailed, EgressRefused
from connectory.domain.errors import Refused
from connectory.domain.execution import ErrorSource, Failed, Result, Succeeded
from tests.connector_runs import run_action
from tests.connector_types import IN_A_MINUTE, NOW, registry, rendered
from tests.fakes.egress import FakeEgress, responds

URL = "https://hooks.slack.test/services/T0/B0/secret"
LATER = "error posting a slack message, retry later"
REFUSALS: list[tuple[int, dict[str, str], str, Any, ErrorSource]] = [
    (500, {}, LATER, True, ErrorSource.FRAMEWORK),
    (503, {"retry-after": "60"}, LATER, True, ErrorSource.FRAMEWORK),
    (429, {}, LATER, True, ErrorSource.USER),
    (429, {"retry-after": "soon"}, LATER, True, ErrorSource.USER),
    (404, {}, "unexpected http response from slack: 404 No", None, ErrorSource.USER),
]


async def post(egress: FakeEgress) -> Result:
    secrets = {"webhookUrl": URL}
    return await run_action(registry(), ".slack", {"message": "hi"}, secrets=secrets, egress=egress, now=lambda: NOW)


async def call(
    egress: FakeEgress, sub_action: str, params: dict[str, Any], channels: list[dict[str, str]] | None = None
) -> Result:
    return await run_action(
        registry(),
        ".slack_api",
        {"subAction": sub_action, "subActionParams": params},
        config={} if channels is None else {"allowedChannels": channels},
        secrets={"token": "xoxb-1"},
        egress=egress,
        now=lambda: NOW,
    )


def said(body: Any) -> FakeEgress:
    return FakeEgress(responds(200, body=json.dumps(body).encode()))


async def test_a_message_is_posted_to_the_webhook() -> None:
    egress = FakeEgress(responds(200, body=b"ok"))

    assert await post(egress) == Succeeded(data={"text": "ok"}, request_body_bytes=13)
    assert (egress.sent.method, egress.sent.url, egress.sent.body) == ("POST", URL, b'{"text":"hi"}')


async def test_a_success_that_is_not_ok_is_none() -> None:
    result = await post(FakeEgress(responds(200, body=b"no_team")))

    assert isinstance(result, Failed)
    assert (result.message, result.service_message) == ("error posting slack message", "no_team")


@pytest.mark.parametrize(("status", "headers", "message", "retry", "source"), REFUSALS)
async def test_what_a_refusal_means(
    status: int, headers: dict[str, str], message: str, retry: Any, source: ErrorSource
) -> None:
    for send in (post, lambda egress: call(egress, "postMessage", {"channelIds": ["C1"], "text": "hi"})):
        result = await send(FakeEgress(responds(status, "No", headers=headers)))

        assert isinstance(result, Failed)
        assert (result.message, result.retry, result.error_source) == (message, retry, source)


async def test_a_delay_that_slack_asks_for_is_a_time() -> None:
    result = await post(FakeEgress(responds(429, headers={"retry-after": "60"})))

    assert isinstance(result, Failed)
    assert result.message == f"error posting a slack message, retry at {IN_A_MINUTE}"
    assert result.service_message == "Request failed with status code 429"
    assert result.error_source is ErrorSource.USER


@pytest.mark.parametrize(
    ("failure", "retry"), [(EgressFailed("gone", "ECONNRESET"), None), (EgressRefused("not allowed"), False)]
)
async def test_no_answer_is_a_failure_with_its_text(failure: EgressFailed, retry: bool | None) -> None:
    result = await post(FakeEgress(failure))

    assert isinstance(result, Failed)
    assert (result.message, result.service_message, result.retry) == (
        "error posting slack message",
        failure.message,
        retry,
    )


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("nowhere", "unable to parse host name from webhookUrl"),
        (URL, f'target url "{URL}" is not added to the Kibana config xpack.actions.allowedHosts'),
    ],
)
def test_a_webhook_url_that_cannot_be_called_is_not_saved(url: str, problem: str) -> None:
    with pytest.raises(Refused) as refused:
        registry([]).check(".slack", {}, {"webhookUrl": url})

    assert refused.value.message == (
        f"error validating connector type secrets: error configuring slack action: {problem}"
    )


def test_the_host_of_the_api_has_to_be_allowed() -> None:
    with pytest.raises(Refused, match="error configuring slack action: target url"):
        registry(["other.test"]).check(".slack_api", {}, {"token": "xoxb-1"})


def test_channels_come_back_as_they_were_given() -> None:
    config = {"allowedChannels": [{"name": "b"}, {"id": "C1", "name": "a"}]}

    assert registry().check(".slack_api", config, {"token": "xoxb-1"}) == config
    assert registry().check(".slack_api", {}, {"token": "xoxb-1"}) == {}


@pytest.mark.parametrize(
    ("sub_action", "params", "method", "path", "body"),
    [
        ("validChannelId", {"channelId": "C1"}, "GET", "conversations.info?channel=C1", None),
        ("postMessage", {"channelNames": ["#a"], "channelIds": ["C1"], "text": "hi"}, "POST", "chat.postMessage",
         {"channel": "#a", "text": "hi"}),
        ("postMessage", {"channels": ["old"], "channelIds": ["C1"], "text": "hi"}, "POST", "chat.postMessage",
         {"channel": "C1", "text": "hi"}),
        ("postBlockkit", {"channels": ["old"], "text": '{"blocks": [1], "more": 2}'}, "POST", "chat.postMessage",
         {"channel": "old", "blocks": [1]}),
    ],
)  # fmt: skip
async def test_what_is_sent(sub_action: str, params: dict[str, Any], method: str, path: str, body: Any) -> None:
    egress = said({"ok": True, "ts": "1"})

    assert await call(egress, sub_action, params) == Succeeded(
        data={"ok": True, "ts": "1"}, request_body_bytes=len(egress.sent.body or b""), connector_id=".slack_api"
    )
    assert (egress.sent.method, egress.sent.url) == (method, f"https://slack.com/api/{path}")
    assert egress.sent.headers == {
        "Authorization": "Bearer xoxb-1",
        "Content-type": "application/json; charset=UTF-8",
    }
    assert json.loads(egress.sent.body or b"null") == body


@pytest.mark.parametrize(
    ("sub_action", "params", "told"),
    [
        ("validChannelId", {}, "The channel id is empty"),
        ("postMessage", {"text": "hi"}, "One of channels, channelIds, or channelNames is required and cannot be empty"),
        ("postMessage", {"text": "hi", "channelNames": ["#other"]},
         "One or more provided channels are not included in the allowed channels list"),
        ("postBlockkit", {"text": '{"blocks": []}', "channelIds": ["C9"]},
         "One or more provided channels are not included in the allowed channels list"),
    ],
)  # fmt: skip
async def test_where_nothing_can_be_posted_nothing_is_sent(sub_action: str, params: dict[str, Any], told: str) -> None:
    egress = said({"ok": True})

    result = await call(egress, sub_action, params, [{"name": "general", "id": "C1"}])

    failed = Failed(message="error posting slack message", service_message=told, connector_id=".slack_api")
    assert (result, egress.requests) == (failed, [])


@pytest.mark.parametrize("params", [{"channelNames": ["#general"]}, {"channelIds": ["C1"]}, {"channels": ["free"]}])
async def test_allowed_channels_are_posted_to(params: dict[str, Any]) -> None:
    result = await call(said({"ok": True}), "postMessage", {**params, "text": "hi"}, [{"name": "general", "id": "C1"}])

    assert isinstance(result, Succeeded)


@pytest.mark.parametrize(("error", "told"), [("not_in_channel", "not_in_channel"), ({"a": 1}, '{"a":1}')])
async def test_slack_says_in_the_body_that_it_did_not(error: Any, told: str) -> None:
    result = await call(said({"ok": False, "error": error}), "postMessage", {"channelIds": ["C1"], "text": "hi"})

    assert isinstance(result, Failed)
    assert (result.message, result.service_message) == ("error posting slack message", told)


@pytest.mark.parametrize(
    ("sub_action", "params", "problem"),
    [
        ("postMessage", {"channelNames": ["a"], "text": "hi"}, "Channel name must start with #"),
        ("postMessage", {"channelIds": ["a", "b"], "text": "hi"}, "Too big: expected array to have <=1 items"),
        ("postMessage", {"text": ""}, "Too small: expected string to have >=1 characters"),
        ("postBlockkit", {"text": "{}"}, 'block kit body must contain field "blocks"'),
        ("postBlockkit", {"text": "{"}, "block kit body is not valid JSON - "),
    ],
)
async def test_params_that_do_not_fit_are_refused(sub_action: str, params: dict[str, Any], problem: str) -> None:
    with pytest.raises(Refused) as refused:
        await call(FakeEgress(), sub_action, params)

    assert problem in refused.value.message


async def test_an_unknown_sub_action_is_named() -> None:
    result = await call(FakeEgress(), "dance", {})

    assert isinstance(result, Failed)
    assert result.service_message == "[Action][ExternalService] -> [Slack API] Unsupported subAction type dance."


def test_only_texts_are_rendered_in_their_own_syntax() -> None:
    for sub_action, text in (("postMessage", "&amp;"), ("postBlockkit", "&")):
        params = {"subAction": sub_action, "subActionParams": {"channels": ["{{a}}"], "text": "{{a}}"}}
        expected = {"subAction": sub_action, "subActionParams": {"channels": ["{{a}}"], "text": text}}
        assert rendered(".slack_api", params, {"a": "&"}) == expected
    assert rendered(".slack", {"message": "{{a}}"}, {"a": "&"}) == {"message": "&amp;"}


@pytest.mark.parametrize("answer", [{"ok": True}, {"ok": False, "error": "not_in_channel"}])
async def test_results_name_the_type_where_others_name_the_connector(answer: Any) -> None:
    result = await call(said(answer), "postMessage", {"channelNames": ["#ops"], "text": "hi"})

    assert result.connector_id == ".slack_api"


async def test_what_never_got_to_slack_names_the_connector() -> None:
    result = await call(FakeEgress(responds(200)), "getChannels", {})

    assert isinstance(result, Failed)
    assert result.connector_id is None
