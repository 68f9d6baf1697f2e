"""`.pagerduty`: the events that are sent, and what each answer means."""

import json
from typing import Any

import pytest

from connectory.connector_types.contract import EgressFailed
from connectory.domain.errors import Refused
from connectory.domain.execution import ErrorSource, Failed, Result, Succeeded
from tests.connector_runs import run_action
from tests.connector_types import registry
from tests.fakes.egress import FakeEgress, responds

DEFAULTS = {"summary": "No summary provided.", "source": "Kibana Action c1", "severity": "info"}


async def send(egress: FakeEgress, params: dict[str, Any], config: dict[str, Any] | None = None) -> Result:
    return await run_action(
        registry(), ".pagerduty", params, config=config, secrets={"routingKey": "key"}, egress=egress
    )


@pytest.mark.parametrize(
    ("params", "event"),
    [
        ({}, {"event_action": "trigger", "payload": DEFAULTS}),
        ({"eventAction": "resolve", "dedupKey": "d", "summary": "s"}, {"event_action": "resolve", "dedup_key": "d"}),
        ({"eventAction": "acknowledge", "dedupKey": "d"}, {"event_action": "acknowledge", "dedup_key": "d"}),
        (
            {"eventAction": "trigger", "dedupKey": "d", "summary": "s", "source": "o", "severity": "error",
             "timestamp": "2026-11-24T12:00:00+01:00", "component": "c", "group": "g", "class": "k",
             "links": [{"href": "h", "text": "t"}], "customDetails": '{"a": 1}'},
            {"event_action": "trigger", "dedup_key": "d", "links": [{"href": "h", "text": "t"}],
             "payload": {"summary": "s", "source": "o", "severity": "error", "timestamp": "2026-11-24T11:00:00.000Z",
                         "component": "c", "group": "g", "class": "k", "custom_details": {"a": 1}}},
        ),
        ({"links": []}, {"event_action": "trigger", "links": [], "payload": DEFAULTS}),
        ({"timestamp": " "}, {"event_action": "trigger", "payload": DEFAULTS}),
        ({"timestamp": " 1000 "}, {"event_action": "trigger",
                                   "payload": {**DEFAULTS, "timestamp": "1970-01-01T00:00:01.000Z"}}),
    ],
)  # fmt: skip
async def test_what_is_sent(params: dict[str, Any], event: dict[str, Any]) -> None:
    egress = FakeEgress(responds(202, body=b'{"status": "success"}'))

    result = await send(egress, params)

    assert isinstance(result, Succeeded)
    assert result.data == {"status": "success"}
    assert egress.sent.url == "https://events.pagerduty.com/v2/enqueue"
    assert egress.sent.headers == {"Content-Type": "application/json", "X-Routing-Key": "key"}
    assert egress.sent.secret_headers == {"x-routing-key"}
    assert json.loads(egress.sent.body or b"") == event


async def test_events_go_to_the_url_of_the_connector() -> None:
    egress = FakeEgress(responds(202))

    await send(egress, {}, {"apiUrl": "https://mine.test/v2"})

    assert egress.sent.url == "https://mine.test/v2"


@pytest.mark.parametrize(
    ("status", "message", "retry", "source"),
    [
        (429, "error posting pagerduty event: http status 429, retry later", True, ErrorSource.USER),
        (500, "error posting pagerduty event: http status 500, retry later", True, ErrorSource.FRAMEWORK),
        (200, "error posting pagerduty event: unexpected status 200", None, ErrorSource.USER),
        (400, "error posting pagerduty event: unexpected status 400", None, ErrorSource.USER),
    ],
)
async def test_what_an_answer_means(status: int, message: str, retry: Any, source: ErrorSource) -> None:
    result = await send(FakeEgress(responds(status)), {})

    assert isinstance(result, Failed)
    assert (result.message, result.service_message, result.retry, result.error_source) == (message, None, retry, source)


async def test_no_answer_is_told_with_its_text() -> None:
    result = await send(FakeEgress(EgressFailed("gone")), {})

    assert isinstance(result, Failed)
    assert (result.message, result.service_message) == ("error posting pagerduty event", "gone")


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"eventAction": "resolve"}, '✖ DedupKey is required when eventAction is "resolve"'),
        ({"eventAction": "acknowledge", "dedupKey": ""}, '✖ DedupKey is required when eventAction is "acknowledge"'),
        ({"timestamp": "yesterday"}, '✖ error parsing timestamp "yesterday"'),
        ({"timestamp": "9" * 30}, f'✖ error parsing timestamp "{"9" * 30}"'),
        ({"customDetails": "[1]"}, "✖ Invalid input: expected record, received array\n  → at customDetails"),
        ({"dedupKey": "d" * 256}, "✖ Too big: expected string to have <=255 characters\n  → at dedupKey"),
    ],
)
async def test_params_that_do_not_fit_are_refused(params: dict[str, Any], problem: str) -> None:
    with pytest.raises(Refused) as refused:
        await send(FakeEgress(), params)

    assert refused.value.message == f"error validating action params: {problem}"


def test_the_host_has_to_be_allowed() -> None:
    with pytest.raises(Refused, match="config: error configuring pagerduty action: target url"):
        registry([]).check(".pagerduty", {}, {"routingKey": "key"})
