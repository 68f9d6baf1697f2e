"""Bodies as they come in: whatever is sent, it is either JSON that records can carry, or refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectory.gateway import json_bodies
from connectory.gateway.errors import Rejected
from connectory.gateway.json_bodies import InvalidJson
from connectory.gateway.schemas import ConnectorDetails, EventLogQuery, NewConnector, Submission, SubmittedRequest
from connectory.gateway.validation import Schema, check
from tests.records import JSON_OBJECTS, JSON_VALUES

MODELS = (NewConnector, ConnectorDetails, SubmittedRequest, Submission, EventLogQuery)
KEYS = st.sampled_from(sorted({key for model in MODELS for key in model.model_fields}))


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_bytes_are_json_or_refused(payload: bytes) -> None:
    try:
        value = json_bodies.parse(payload)
    except InvalidJson:
        return
    assert json_bodies.parse(json_bodies.write(value)) == value


@given(JSON_VALUES)
def test_json_that_is_written_is_read_back_as_it_was(value: Any) -> None:
    assert json_bodies.parse(json_bodies.write(value)) == value


@pytest.mark.parametrize("payload", ["NaN", "-Infinity", "1e999", '"\\ud800"', '{"\\udfff": 1}', "[" * 101 + "]" * 101])
def test_what_python_would_read_but_records_cannot_carry_is_refused(payload: str) -> None:
    with pytest.raises(InvalidJson):
        json_bodies.parse(payload.encode())


@pytest.mark.parametrize(
    ("text", "written"), [("25.0", "25"), ("1e3", "1000"), ("-0.0", "0"), ("0.5", "0.5"), ("1e17", "1e+17")]
)
def test_a_number_that_is_whole_is_written_as_one(text: str, written: str) -> None:
    assert json_bodies.write(json_bodies.parse(text.encode())).decode() == written


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert json_bodies.parse(b'"\\ud83d\\ude00"') == "\U0001f600"


def test_a_lone_surrogate_that_a_target_sent_goes_out_as_it_came_in() -> None:
    assert json.loads(json_bodies.write({"data": "\ud800"})) == {"data": "\ud800"}


@given(st.sampled_from(MODELS), JSON_VALUES | st.dictionaries(KEYS, JSON_VALUES) | JSON_OBJECTS)
def test_any_json_fits_a_schema_or_is_refused_with_its_place(model: type[Schema], value: Any) -> None:
    assert outcome(model, value).startswith(("fits", "400 [request body"))


def outcome(model: type[Schema], value: Any) -> str:
    try:
        check(model, value, "body")
    except Rejected as refused:
        return f"{refused.status} {refused.message}"
    return "fits"
