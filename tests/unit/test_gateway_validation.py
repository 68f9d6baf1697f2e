"""The texts of schema checks."""

from typing import Any

import pytest

from connectory.gateway.errors import Rejected
from connectory.gateway.schemas import (
    ConnectorDetails,
    EventLogQuery,
    Execution,
    NewConnector,
    Submission,
    SubmittedRequest,
    TypesQuery,
    UpdateParams,
    check_new_id,
)
from connectory.gateway.validation import Part, Schema, check

HOOK = {"name": "n", "connector_type_id": ".t"}
HAS_MAXIMUM = "it must have a maximum length of"
REQUEST = {"connector_id": "c", "params": {}}


def refusal(model: type[Schema], value: object, part: Part = "body") -> str:
    with pytest.raises(Rejected) as refused:
        check(model, value, part)
    assert refused.value.status == 400
    return refused.value.message


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (None, "[request body]: expected a plain object value, but found [null] instead."),
        ([], "[request body]: expected a plain object value, but found [array] instead."),
        ("x", "[request body]: expected a plain object value, but found [string] instead."),
        ({}, "[request body.name]: expected value of type [string] but got [undefined]"),
        ({"name": None}, "[request body.name]: expected value of type [string] but got [null]"),
        ({"name": 1}, "[request body.name]: expected value of type [string] but got [number]"),
        ({"name": True}, "[request body.name]: expected value of type [string] but got [boolean]"),
        ({"name": []}, "[request body.name]: expected value of type [string] but got [array]"),
        ({"name": {}}, "[request body.name]: expected value of type [string] but got [object]"),
        ({"name": "  "}, "[request body.name]: value '' is not valid"),
        ({"name": "\ufeff"}, "[request body.name]: value '' is not valid"),
        (
            {"name": "x" * 1025},
            "[request body.name]: value has length [1025] but it must have a maximum length of [1024].",
        ),
        ({"name": "n"}, "[request body.connector_type_id]: expected value of type [string] but got [undefined]"),
        ({**HOOK, "config": None}, "[request body.config]: expected value of type [object] but got [null]"),
        ({**HOOK, "config": []}, "[request body.config]: expected value of type [object] but got [array]"),
        ({**HOOK, "config": {"url": ""}}, "[request body.config.url]: value '' is not valid"),
        ({**HOOK, "secrets": {"a": {"b": " "}}}, "[request body.secrets.a.b]: value '' is not valid"),
        (
            {**HOOK, "config": {"k" * 257: 1}},
            f'[request body.config.key("{"k" * 257}")]: value has length [257] but {HAS_MAXIMUM} [256].',
        ),
        ({**HOOK, "extra": 1}, "[request body.extra]: definition for this key is missing"),
        ({"extra": 1}, "[request body.name]: expected value of type [string] but got [undefined]"),
        (
            {**HOOK, "extra": 1, "secrets": 2},
            "[request body.secrets]: expected value of type [object] but got [number]",
        ),
    ],
)
def test_the_first_problem_of_a_create_in_schema_order(body: object, text: str) -> None:
    assert refusal(NewConnector, body) == text


def test_blank_strings_in_arrays_pass() -> None:
    body = check(NewConnector, {**HOOK, "config": {"list": ["", {"a": ""}]}}, "body")

    assert body.config == {"list": ["", {"a": ""}]}


def test_config_and_secrets_are_empty_objects_when_not_given() -> None:
    body = check(NewConnector, HOOK, "body")

    assert (body.config, body.secrets) == ({}, {})


def test_a_name_is_kept_as_it_was_sent() -> None:
    assert check(ConnectorDetails, {"name": " n "}, "body").name == " n "


def test_lengths_count_as_javascript_counts() -> None:
    assert "length [1026]" in refusal(NewConnector, {"name": "\U0001f600" * 513})


def test_a_name_with_braces_in_its_error_is_shown_as_it_is() -> None:
    assert refusal(NewConnector, {**HOOK, "{x}": 1}) == "[request body.{x}]: definition for this key is missing"


def test_an_update_takes_no_type() -> None:
    text = refusal(ConnectorDetails, {"name": "n", "connector_type_id": ".t"})

    assert text == "[request body.connector_type_id]: definition for this key is missing"


def test_the_secrets_of_a_refused_body_are_in_no_error() -> None:
    with pytest.raises(Rejected) as refused:
        check(NewConnector, {**HOOK, "secrets": {"password": "s3cret", "other": ""}}, "body")

    assert "s3cret" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


def test_a_body_does_not_show_its_secrets() -> None:
    body = check(NewConnector, {**HOOK, "secrets": {"password": "s3cret"}}, "body")

    assert "s3cret" not in repr(body)


@pytest.mark.parametrize(
    ("model", "value", "part", "text"),
    [
        (
            UpdateParams,
            {"id": "x" * 40},
            "params",
            "[request params.id]: value has length [40] but it must have a maximum length of [36].",
        ),
        (Execution, {}, "body", "[request body.params]: expected value of type [object] but got [undefined]"),
        (
            TypesQuery,
            {"feature_id": ["a", "b"]},
            "query",
            "[request query.feature_id]: expected value of type [string] but got [array]",
        ),
        (TypesQuery, {"x": "1"}, "query", "[request query.x]: definition for this key is missing"),
        (
            Submission,
            {"requests": []},
            "body",
            "[request body.requests]: array size is [0], but cannot be smaller than [1]",
        ),
        (
            Submission,
            {"requests": [1] * 1001},
            "body",
            "[request body.requests]: array size is [1001], but cannot be greater than [1000]",
        ),
        (EventLogQuery, {"size": "0"}, "query", "[request query.size]: Value must be equal to or greater than [1]."),
        (
            EventLogQuery,
            {"size": "1001"},
            "query",
            "[request query.size]: Value must be equal to or lower than [1000].",
        ),
        (
            EventLogQuery,
            {"size": "ten"},
            "query",
            "[request query.size]: expected value of type [number] but got [string]",
        ),
        (
            EventLogQuery,
            {"from": "yesterday"},
            "query",
            "[request query.from]: expected a date-time such as 2025-09-30T12:00:00.000Z but got [yesterday]",
        ),
        (
            EventLogQuery,
            {"to": "2025-09-30T12:00:00"},
            "query",
            "[request query.to]: expected a date-time such as 2025-09-30T12:00:00.000Z but got [2025-09-30T12:00:00]",
        ),
        (
            EventLogQuery,
            {"q": ""},
            "query",
            "[request query.q]: value has length [0] but it must have a minimum length of [1].",
        ),
        (
            SubmittedRequest,
            {**REQUEST, "connector_version": 1.5},
            "body",
            "[request body.connector_version]: expected an integer but got [1.5]",
        ),
        (
            SubmittedRequest,
            {**REQUEST, "expires_at": 1},
            "body",
            "[request body.expires_at]: expected value of type [string] but got [number]",
        ),
        (
            SubmittedRequest,
            {**REQUEST, "order": "k"},
            "body",
            "[request body.order]: definition for this key is missing",
        ),
    ],
)
def test_the_texts_of_the_other_schemas(model: type[Schema], value: Any, part: Part, text: str) -> None:
    assert refusal(model, value, part) == text


def test_a_value_that_is_none_of_the_literals_names_them_all() -> None:
    assert refusal(SubmittedRequest, {**REQUEST, "delivery": "twice"}) == (
        "[request body.delivery]: types that failed validation:\n"
        "- [request body.delivery.0]: expected value to equal [at_least_once]\n"
        "- [request body.delivery.1]: expected value to equal [at_most_once]"
    )


def test_the_index_of_a_bad_request_stands_in_its_path() -> None:
    with pytest.raises(Rejected, match=r"^\[request body\.requests\.3\.params\]: expected value of type \[object\]"):
        check(SubmittedRequest, {"connector_id": "c"}, "body", ("requests", 3))


@pytest.mark.parametrize("number", [2, 2.0])
def test_json_knows_one_type_of_numbers(number: float) -> None:
    assert check(SubmittedRequest, {**REQUEST, "connector_version": number}, "body").connector_version == 2


@pytest.mark.parametrize(
    ("connector_id", "strict", "text"),
    [
        ("", False, "Connector ID is required."),
        ("x" * 37, False, "Connector ID must be 36 characters or less."),
        ("__proto__", False, "Connector ID must be 36 characters or less."),
        ("constructor", False, "Connector ID must be 36 characters or less."),
        ("prototype", True, "Connector ID must be 36 characters or less."),
        ("Ops", True, "Connector ID must contain only lowercase letters, numbers, and hyphens."),
        ("-ops", True, "Connector ID must contain only lowercase letters, numbers, and hyphens."),
    ],
)
def test_ids_that_a_client_may_not_choose(connector_id: str, strict: bool, text: str) -> None:
    with pytest.raises(Rejected) as refused:
        check_new_id(connector_id, strict=strict)

    assert refused.value.message == f"[request params.id]: {text}"


@pytest.mark.parametrize(("connector_id", "strict"), [("Any id at all: ä/%", False), ("a", True), ("a-1", True)])
def test_ids_that_a_client_may_choose(connector_id: str, strict: bool) -> None:
    check_new_id(connector_id, strict=strict)
