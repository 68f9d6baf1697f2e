"""The fast reader of plain records: what the library reads, or nothing."""

import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.types import Schema
from hypothesis import given
from hypothesis import strategies as st

from connectory.domain.errors import Undecodable
from connectory.domain.execution import ActionRequest, Outcome
from connectory.infra.messages import Messages
from connectory_schemas.plain import NotPlain
from connectory_schemas.plain_reading import plain_reader
from tests.records import records_of

NOT_PLAIN = (NotPlain, IndexError, OverflowError, UnicodeDecodeError, struct.error)
MESSAGES = Messages()
LONGS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text() | st.text(min_size=1).map(lambda text: text * 3000)
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
OUR_DAYS = st.timedeltas(timedelta(days=-9000), timedelta(days=9000)).map(lambda span: NOW + span)
TIME = {"type": "long", "logicalType": "timestamp-micros"}


def schema_of(**types: Any) -> Schema:
    fields = [{"name": name, "type": type_} for name, type_ in types.items()]
    return parse_schema({"type": "record", "name": "Some", "fields": fields}, named_schemas={})


SOME = schema_of(number="long", small="int", text=["null", "string"], real=["null", "double"], at=TIME, yes="boolean")
DATUMS = st.fixed_dictionaries(
    {
        "number": LONGS,
        "small": st.integers(-(2**31), 2**31 - 1),
        "text": st.none() | TEXTS,
        "real": st.none() | st.floats(allow_nan=False),
        "at": OUR_DAYS | st.datetimes(timezones=st.just(UTC)),
        "yes": st.booleans(),
    }
)


def written(datum: dict[str, Any]) -> bytes:
    out = BytesIO()
    schemaless_writer(out, SOME, datum)
    return out.getvalue()


def read_plainly(data: bytes) -> Any:
    """None for what is left to the library."""
    try:
        datum, end = plain_reader(SOME)(data, 0)
    except NOT_PLAIN:
        return None
    return datum if end == len(data) else None


@given(datum=DATUMS)
def test_what_is_read_is_what_was_written(datum: dict[str, Any]) -> None:
    assert read_plainly(written(datum)) in (None, datum)


@given(datum=DATUMS, at=OUR_DAYS, number=st.integers(-(2**34), 2**34 - 1), text=st.none() | st.text(max_size=1000))
def test_numbers_texts_and_times_of_our_days_are_read(datum: Any, at: datetime, number: int, text: str) -> None:
    datum |= {"at": at, "number": number, "text": text}
    assert read_plainly(written(datum)) == datum


@pytest.mark.parametrize("end", range(20))
def test_a_record_that_is_cut_off_anywhere_is_left_to_the_library(end: int) -> None:
    datum = {"number": 0, "small": 8192, "text": None, "real": None, "at": NOW, "yes": False}
    whole = written(datum)
    assert read_plainly(whole[: end % len(whole)]) is None


@given(datum=DATUMS, place=st.integers(0), byte=st.integers(0, 255), end=st.none() | st.integers(0))
def test_bytes_that_are_not_right_are_read_as_the_library_reads_them_or_not_at_all(
    datum: dict[str, Any], place: int, byte: int, end: int | None
) -> None:
    data = bytearray(written(datum))
    data[place % len(data)] = byte
    spoilt = bytes(data[: None if end is None else end % len(data)])

    read = read_plainly(spoilt)

    if read is not None:
        assert repr(schemaless_reader(BytesIO(spoilt), SOME, None)) == repr(read)  # a NaN equals nothing


@given(outcome=records_of(Outcome), at=OUR_DAYS)
def test_the_fields_of_an_outcome_are_those_that_were_written(outcome: Outcome, at: datetime) -> None:
    whole = replace(outcome, at=at, started_at=at, retry_at=None)
    fields = MESSAGES.fields_reader(Outcome)(MESSAGES.encode(whole))

    assert fields["position"]["offset"] == whole.position.offset
    assert (fields["at"], fields["action"], fields["message"]) == (whole.at, whole.action, whole.message)


@given(request=records_of(ActionRequest))
def test_fields_of_another_record_are_refused(request: ActionRequest) -> None:
    with pytest.raises(Undecodable, match="Expected ActionOutcome, got ActionRequest"):
        MESSAGES.fields_reader(Outcome)(MESSAGES.encode(request))


@pytest.mark.parametrize("type_", ["bytes", {"type": "array", "items": "string"}, ["string", "null"]])
def test_a_schema_with_any_other_type_is_left_to_the_library(type_: Any) -> None:
    with pytest.raises(NotPlain):
        plain_reader(schema_of(some=type_))
