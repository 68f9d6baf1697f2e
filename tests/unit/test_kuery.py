"""KQL: what its text asks for, and what is no KQL. Which documents meet it is tried on documents."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from connectory.gateway.event_documents.kuery import KueryInvalid, read_kuery
from connectory_projections.event_documents.conditions import Condition, OneOf, Says, negation
from tests.event_documents import meets

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DOCUMENT: Any = {
    "@timestamp": "2026-11-24T11:30:00.500Z",
    "event": {"provider": "actions", "action": "execute", "outcome": "failure", "duration": "27000000"},
    "message": "Action execution failure: .webhook:5d0c-aa: Nightly hook",
    "error": {"message": "timeout of 60000ms exceeded"},
    "user": {"name": "ops (night)"},
    "kibana": {
        "space_ids": ["red"],
        "saved_objects": [
            {"rel": "primary", "type": "action", "id": "5d0c-aa", "type_id": ".webhook", "space_agnostic": True},
            {"rel": "primary", "type": "alert", "id": "rule-1"},
        ],
        "action": {"id": "5d0c-aa", "name": 'a "b" c:\\d*', "execution": {"uuid": "e1", "source": "alert"}},
    },
}

MET = [
    "",
    " \n",
    "*",
    "*: *",
    "event.action: execute",
    "event.action : execute",
    "event.action:execute",
    "event.action: exec*",
    "event.action: *e*c*u*",
    '"event.action": "execute"',
    "event.*: failure",
    "event.action: *",
    "not event.action: execute-start",
    "NOT event.action: execute-start",
    "Not (event.action: execute-start)",
    "event.action: execute and event.outcome: failure",
    "event.action: execute AND event.outcome: failure",
    "event.action: x Or event.outcome: failure",
    "event.outcome: failure or event.outcome: x and event.action: x",
    "event.outcome: (success or failure)",
    "event.outcome: (not success)",
    "message: (nightly and not daily)",
    "message: ((hook or x) and nightly)",
    "message: hook",
    "message: HOOK",
    "message: daily hook",
    'message: "nightly hook"',
    'message: "execution failure"',
    "message: night*",
    "message: *ght*",
    "message: 5d0c-aa",
    "error.message: 60000ms",
    "nightly",
    '"NIGHTLY HOOK"',
    "5d0c-aa",
    "27000000",
    "event.duration: 27000000",
    "event.duration > 26999999",
    "event.duration >= 27000000",
    "event.duration<27000000.5",
    "event.duration <= 27000000",
    "event.action > exe",
    '@timestamp: "2026-11-24"',
    '@timestamp >= "2026-11-24T11:30"',
    "@timestamp > now-1h",
    '@timestamp < "2026-11-24T11:31:00.000Z"',
    "@timestamp <= 2026-11-24",
    "user.name: ops \\(night\\)",
    'user.name: "ops (night)"',
    "user.name: ops*",
    'kibana.action.name: "a \\"b\\" c:\\\\d*"',
    'kibana.action.name: a \\"b\\" c\\:\\\\d\\*',
    "kibana.action.execution.source: \\u0061lert",
    'kibana.saved_objects: { id: "5d0c-aa" and type: "action" }',
    "kibana.saved_objects:{type:alert and id:rule-1}",
    "kibana.saved_objects: { type: alert } and kibana.saved_objects: { type: action }",
    "kibana.saved_objects: { space_agnostic: true }",
    "kibana.saved_objects: { not type: action }",
    "not unknown.field: x",
]

NOT_MET = [
    "event.action: Execute",
    "event.action: exec",
    "event.action: x*",
    "event.end: *",
    "not event.action: execute",
    "event.action: execute and event.outcome: success",
    "event.outcome: success or event.outcome: x",
    "event.outcome: failure and event.action: (x or y)",
    "message: night",
    'message: "hook nightly"',
    'message: "execution of"',
    "message: (nightly and daily)",
    "event.duration: 27",
    "event.duration > 27000000",
    "event.duration: soon",
    "event.duration > soon",
    "message > a",
    '@timestamp: "2026-11-23"',
    '@timestamp > "2026-11-24"',
    "@timestamp < now-1h",
    "@timestamp: soon",
    "user.name: ops",
    "kibana.saved_objects: { id: rule-1 and type: action }",
    "kibana.saved_objects: { rel: secondary }",
    "kibana.saved_objects.type: alert",
    "kibana.saved_objects: { kibana.saved_objects: { type: alert } }",
    "kibana.other: { type: alert }",
    "unknown.field: x",
    "unknown.field: *",
    "daily",
    "event.provider: alerting",
]

INVALID = [
    "event.action:",
    ": execute",
    "(event.action: execute",
    "event.action: execute)",
    "event.action: (execute",
    "event.action: execute and ",
    "event.action: not execute",
    "not not event.action: execute",
    "event.action: execute not event.outcome: x",
    '"open',
    "a < < b",
    "a: b: c",
    "a: \\",
    "a: {b: c",
    "<",
    "()",
    "(" * 51 + "a" + ")" * 51,
    " or ".join(["a"] * 200),
    " or ".join(["event.action: a"] * 1001),
]


@pytest.mark.parametrize("text", MET)
def test_a_document_meets_what_it_should(text: str) -> None:
    assert meets(read_kuery(text, NOW), DOCUMENT)


@pytest.mark.parametrize("text", NOT_MET)
def test_a_document_does_not_meet_what_it_should_not(text: str) -> None:
    assert not meets(read_kuery(text, NOW), DOCUMENT)


@pytest.mark.parametrize("text", INVALID, ids=lambda text: text[:30])
def test_what_is_no_kql_is_refused(text: str) -> None:
    with pytest.raises(KueryInvalid):
        read_kuery(text, NOW)


def test_values_in_parentheses_bind_as_queries_do() -> None:
    assert read_kuery("event.action: (a or b and not c)", NOW) == read_kuery(
        "event.action: a or (event.action: b and (not event.action: c))", NOW
    )


def test_words_of_an_unquoted_value_are_looked_for_one_by_one_and_those_of_a_quoted_one_in_a_row() -> None:
    assert read_kuery("message: a b-c", NOW) == Says("message", ((("a",),), (("b",), ("c",))))
    assert read_kuery('message: "a b-c"', NOW) == Says("message", ((("a",), ("b",), ("c",)),))


def written(value: str) -> str:
    """The value as a quoted literal of KQL."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def escaped(value: str) -> str:
    """The same without quotation marks: what means something is escaped."""
    return "".join(f"\\u{ord(each):04x}" if ord(each) < 0x80 else each for each in value)


texts = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), min_size=1, max_size=12)


@for_all(texts)
def test_any_text_can_be_quoted_or_escaped(value: str) -> None:
    assert read_kuery(f"user.name: {written(value)}", NOW) == OneOf("user.name", (value,))
    if value.isprintable() and not value.isspace() and value.isascii():
        assert read_kuery(f"user.name: {escaped(value)}", NOW) == OneOf("user.name", (value,))


@for_all(st.text(max_size=40))
def test_any_text_is_kql_or_refused(text: str) -> None:
    with suppress(KueryInvalid):
        read_kuery(text, NOW)


def test_the_contrary_of_the_contrary_is_the_same() -> None:
    condition: Condition = OneOf("event.action", ("a",))
    assert negation(negation(condition)) == condition
