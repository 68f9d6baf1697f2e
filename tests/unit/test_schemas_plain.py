"""The fast writer of plain records: the library's very bytes, or nothing."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_writer
from fastavro.types import Schema
from hypothesis import given
from hypothesis import strategies as st

from connectory.domain.errors import Unencodable
from connectory.domain.execution import Outcome
from connectory.infra.messages import Messages
from connectory.infra.messages.records import RECORDS, RecordType
from connectory_schemas.codec import Codec
from connectory_schemas.plain import NotPlain, plain_writer
from connectory_schemas.registry import bundled_schemas
from tests.records import records_of

CODEC = Codec(bundled_schemas())
PLAIN = [record for record in RECORDS if record.shape.is_plain]
OUTCOME = next(record for record in RECORDS if record.type is Outcome)
NAIVE = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
ODD: list[Any] = [None, True, 1, -1, 2**31, 2**63, 1.5, "text", b"bytes", "\ud800", NAIVE, [], {}]
LONGS = st.integers(-(2**63), 2**63 - 1)
MICROS = "timestamp-micros"
TIMES = st.datetimes(timezones=st.just(UTC))


def the_librarys(record_type: RecordType[Any], record: object) -> bytes:
    return CODEC.encode(record_type.subject, record_type.shape.write(record))


def parsed(fields: list[dict[str, Any]]) -> Schema:
    return parse_schema({"type": "record", "name": "Some", "fields": fields}, named_schemas={})


def written(schema: Schema, datum: dict[str, Any]) -> bytes:
    out = BytesIO()
    schemaless_writer(out, schema, datum)
    return out.getvalue()


@pytest.mark.parametrize("record_type", PLAIN, ids=lambda record_type: record_type.name)
@given(data=st.data())
def test_a_plain_record_is_written_as_the_library_writes_it(record_type: RecordType[Any], data: st.DataObject) -> None:
    record = data.draw(records_of(record_type.type))
    assert CODEC.encode_plain(record_type.subject, record) in (None, the_librarys(record_type, record))


@given(outcome=records_of(Outcome))
def test_an_outcome_is_plain(outcome: Outcome) -> None:
    assert CODEC.encode_plain(OUTCOME.subject, outcome) == the_librarys(OUTCOME, outcome)


@given(outcome=records_of(Outcome), field=st.sampled_from(fields(Outcome)), value=st.sampled_from(ODD))
def test_a_value_of_another_type_has_the_librarys_bytes_or_its_error(outcome: Outcome, field: Any, value: Any) -> None:
    odd = replace(outcome, **{field.name: value})
    try:
        expected = the_librarys(OUTCOME, odd)
    except (ValueError, TypeError, AttributeError, OverflowError) as refused:
        expected_error = Unencodable if isinstance(refused, (ValueError, OverflowError)) else type(refused)
        with pytest.raises(expected_error):
            Messages().encode(odd)
    else:
        assert Messages().encode(odd) == expected


@given(number=LONGS, text=st.text() | st.text(min_size=1).map(lambda text: text * 3000), real=st.floats(), at=TIMES)
def test_numbers_texts_and_times_of_any_size_are_written(number: int, text: str, real: float, at: datetime) -> None:
    types = {"number": "long", "text": "string", "real": "double", "at": {"type": "long", "logicalType": MICROS}}
    schema = parsed([{"name": name, "type": type_} for name, type_ in types.items()])
    datum = {"number": number, "text": text, "real": real, "at": at}
    assert plain_writer(schema)(SimpleNamespace(**datum)) == written(schema, datum)


@pytest.mark.parametrize(
    "type_", ["bytes", {"type": "array", "items": "string"}, ["string", "null"], ["null", "bytes"]]
)
def test_a_schema_with_any_other_type_is_left_to_the_library(type_: Any) -> None:
    with pytest.raises(NotPlain):
        plain_writer(parsed([{"name": "first", "type": "string"}, {"name": "second", "type": type_}]))


@pytest.mark.parametrize("name", ["a b", "class", "x = __import__('os')", ""])
def test_a_name_that_cannot_stand_in_a_text_is_left_to_the_library(name: str) -> None:
    with pytest.raises(NotPlain):
        plain_writer({"type": "record", "fields": [{"name": "first", "type": "string"}, {"name": name, "type": "int"}]})
