"""Which outcomes are documents, and what stands in them."""

import json
from datetime import timedelta
from typing import Any

import pytest

from connectory.domain import outcomes
from connectory.domain.execution import Failed, Outcome, RunContext, Succeeded, TokenUsage
from connectory.executor.settlement import UNAUTHORIZED
from connectory_projections import EVENT_LOG
from connectory_projections.event_documents import Product
from connectory_projections.event_documents.document import document
from connectory_projections.model import Append
from tests.ended_runs import BOOM, RULE, attempt, cut_off, run
from tests.event_documents import is_shown
from tests.projection_events import NOON, changes_of, minutes

PRODUCT = Product("server")
MILLISECONDS = timedelta(milliseconds=1)
START: Any = {
    "@timestamp": "2026-11-24T12:00:00.000Z",
    "ecs": {"version": "1.8.0"},
    "event": {
        "provider": "actions",
        "action": "execute-start",
        "kind": "action",
        "start": "2026-11-24T12:00:00.000Z",
    },
    "message": "action started: .webhook:c1: hook",
    "kibana": {
        "server_uuid": "server",
        "version": "9.3.0",
        "space_ids": ["default"],
        "saved_objects": [{"rel": "primary", "type": "action", "id": "c1", "type_id": ".webhook"}],
        "action": {
            "id": "c1",
            "name": "hook",
            "type_id": ".webhook",
            "execution": {"uuid": "e1", "source": "http_request"},
        },
    },
}


def row_of(outcome: Outcome) -> Any:
    [change] = changes_of(EVENT_LOG, [outcome])
    assert isinstance(change, Append)
    return change.row


def shown(outcome: Outcome) -> Any:
    return document(row_of(outcome), PRODUCT)


def test_a_start_says_what_is_run_and_nothing_about_its_end() -> None:
    start, _ = run("e1", source="http_request", requested_by="ops")

    assert shown(start) == START


def test_the_end_of_a_success_says_how_long_it_took_who_asked_and_what_was_sent() -> None:
    _, end = run("e1", requested_by="ops")

    found = shown(end)
    assert found["event"] == {
        "provider": "actions",
        "action": "execute",
        "kind": "action",
        "start": "2026-11-24T12:00:00.000Z",
        "end": "2026-11-24T12:00:00.027Z",
        "duration": "27000000",
        "outcome": "success",
    }
    assert (found["message"], found["user"]) == ("action executed: .webhook:c1: hook", {"name": "ops"})
    assert found["kibana"]["action"]["execution"]["usage"] == {"request_body_bytes": 1024}
    assert "error" not in found


def test_the_end_of_a_failure_has_the_error_and_whether_another_attempt_may_help() -> None:
    _, end = run("e1", BOOM)

    found = shown(end)
    assert (found["event"]["outcome"], found["message"]) == (
        "failure",
        "action execution failure: .webhook:c1: hook",
    )
    text = "error calling webhook, retry later: [503] Service Unavailable; retry: true"
    assert found["error"] == {"message": text}
    assert found["kibana"]["action"]["execution"]["usage"] == {"request_body_bytes": 0}


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (Failed(message="", retry=False), "unknown error running action"),
        (Failed(message="boom"), "boom"),
        (Failed(message="boom", retry=minutes(1)), "boom; retry at 2026-11-24T12:01:00.000Z"),
        (Failed(message="boom", service_message="bang", retry=True), "boom: bang; retry: true"),
    ],
)
def test_the_text_of_an_error(failure: Failed, text: str) -> None:
    _, end = run("e1", failure)

    assert shown(end)["error"]["message"] == text


def test_a_run_that_was_cut_off_has_the_limit_in_its_text_and_neither_end_nor_outcome() -> None:
    _, end = cut_off("e1", requested_by="ops")

    found = shown(end)
    assert found["event"] == {"provider": "actions", "action": "execute-timeout", "kind": "action"}
    text = "action: .webhook:c1: 'hook' execution cancelled due to timeout - exceeded default timeout of \"5m\""
    assert found["message"] == text
    assert found["kibana"]["action"] == {"id": "c1", "type_id": ".webhook", "execution": {"uuid": "e1"}}
    assert set(found) == {"@timestamp", "ecs", "event", "message", "kibana"}


def test_the_object_of_a_run_has_its_namespace_outside_of_the_default_space() -> None:
    start, _ = run("e1", space_id="red")

    found = shown(start)["kibana"]
    assert (found["space_ids"], found["saved_objects"][0]["namespace"]) == (["red"], "red")


def test_a_connector_of_the_configuration_belongs_to_no_space() -> None:
    _, end = run("e1", space_id="red", in_memory=True)

    entry = {"rel": "primary", "type": "action", "id": "c1", "type_id": ".webhook"}
    assert shown(end)["kibana"]["saved_objects"] == [{**entry, "namespace": "red", "space_agnostic": True}]


def test_a_queued_run_says_when_it_was_due_and_how_late_it_was() -> None:
    start, _ = run("e1", scheduled_at=NOON - timedelta(seconds=2))

    assert shown(start)["kibana"]["task"] == {
        "scheduled": "2026-11-24T11:59:58.000Z",
        "schedule_delay": 2_000_000_000,
    }


def test_clocks_that_differ_make_no_negative_times() -> None:
    _, end = run("e1", took=-5 * MILLISECONDS, scheduled_at=minutes(1))

    found = shown(end)
    assert (found["event"]["duration"], found["kibana"]["task"]["schedule_delay"]) == ("0", 0)


def test_a_run_that_a_rule_asked_for_names_the_rule() -> None:
    start, end = run("e1", context=RULE)

    for found in (shown(start), shown(end)):
        assert found["kibana"]["alert"] == {
            "rule": {"consumer": "siem", "execution": {"uuid": "rule-run-1"}, "rule_type_id": "siem.query"}
        }
        [_, related] = found["kibana"]["saved_objects"]
        assert related == {
            "rel": "primary",
            "type": "alert",
            "id": "rule-1",
            "type_id": "siem.query",
            "namespace": "red",
        }


def test_a_request_by_api_key_names_the_key_at_its_end() -> None:
    start, end = run("e1", context=RunContext(api_key_id="k1", api_key_name="nightly"))

    assert shown(end)["kibana"]["user_api_key"] == {"id": "k1", "name": "nightly"}
    assert "user_api_key" not in shown(start)["kibana"]


def test_what_a_generative_type_used_is_told_at_the_end() -> None:
    usage = TokenUsage(prompt_tokens=1, completion_tokens=2, total_tokens=3)
    _, end = run("e1", Succeeded(token_usage=usage))

    told = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    assert shown(end)["kibana"]["action"]["execution"]["gen_ai"] == {"usage": told}


@pytest.mark.parametrize(
    "related",
    [
        "no json",
        "{}",
        '[{"type":"alert"}]',
        '[{"type":"","id":"x"}]',
        "[1]",
        "[" * 5000,
        '[{"type":"action","id":"c2"}]',
    ],
)
def test_related_objects_that_are_no_such_list_are_passed_over(related: str) -> None:
    start, _ = run("e1", context=RunContext(consumer="siem", related_objects=related))

    found = shown(start)["kibana"]
    assert (len(found["saved_objects"]), found["alert"]) == (1, {"rule": {"consumer": "siem"}})


def test_texts_that_no_table_holds_come_out_as_they_were() -> None:
    text = "a\x00b\ud800"
    related = json.dumps([{"type": "alert", "id": text}])
    start, _ = run("e1", context=RunContext(consumer=text, related_objects=related))

    found = shown(start)["kibana"]
    assert (found["alert"]["rule"]["consumer"], found["saved_objects"][1]["id"]) == (text, text)


def test_only_what_began_is_shown() -> None:
    made = attempt("e1")
    begun = outcomes.start(made, NOON)
    failed = outcomes.finish(made, NOON, NOON, BOOM, minutes(1))
    never = outcomes.refuse(made, NOON, Failed(message="params", reason="params-invalid"))

    assert [is_shown(row_of(each)) for each in (begun, failed, cut_off("e2")[1])] == [True, True, True]
    hidden = (
        never,
        outcomes.cancel(made, NOON, BOOM),
        outcomes.schedule_retry(failed, NOON),
        outcomes.defer(made, NOON, "rate-limited", minutes(1)),
        outcomes.duplicate(made, NOON),
        outcomes.in_doubt(begun, NOON, final=True),
    )
    assert [is_shown(row_of(each)) for each in hidden] == [False] * len(hidden)


def test_a_run_that_its_requester_was_not_allowed_is_shown_as_a_failure() -> None:
    text = 'Unauthorized to execute a ".cases" action'
    outcome = outcomes.refuse(attempt("e1"), NOON, Failed(message=text, retry=False, reason=UNAUTHORIZED))

    found = shown(outcome)
    assert is_shown(row_of(outcome))
    assert (found["error"], found["event"]["outcome"]) == ({"message": text}, "failure")
    assert (found["event"]["start"], found["event"]["duration"]) == ("2026-11-24T12:00:00.000Z", "0")
