"""The schema files against the dataclasses, against what was released, and against each other."""

import json
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from itertools import combinations
from pathlib import Path
from typing import Any, get_args

import pytest

import connectory_schemas
from connectory.infra.messages.records import RECORDS, RecordType
from connectory_schemas.compatibility import incompatibilities
from connectory_schemas.registry import Released, bundled_schemas, fingerprint, released, schema_file

RELEASED = released()
FOREIGN_REQUIRED = {"request_id", "space_id", "connector_id", "params", "requested_at"}

every_record = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
every_file = pytest.mark.parametrize("entry", RELEASED, ids=lambda entry: entry["file"])


def newest(record: RecordType[Any]) -> Any:
    return json.loads(bundled_schemas().latest(record.subject).text)


def all_fields(schema: Any) -> Iterator[dict[str, Any]]:
    """The fields of a record and of the records inside it."""
    match schema:
        case {"type": "record", "fields": inner}:
            yield from (field for field in inner)
            yield from (deeper for field in inner for deeper in all_fields(field["type"]))
        case {"items": inner} | {"values": inner} | {"type": dict() as inner}:
            yield from all_fields(inner)
        case list():
            yield from (field for branch in schema for field in all_fields(branch))
        case _:
            return


def has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


@every_record
def test_the_fields_of_a_schema_are_those_of_its_dataclass(record: RecordType[Any]) -> None:
    assert [field["name"] for field in newest(record)["fields"]] == [field.name for field in fields(record.type)]


@every_record
def test_what_may_be_none_may_be_null(record: RecordType[Any]) -> None:
    nullable = {field["name"] for field in newest(record)["fields"] if "null" in field["type"]}
    assert nullable == {field.name for field in fields(record.type) if type(None) in get_args(field.type)}


@every_record
def test_what_has_a_default_or_may_be_null_has_one_in_the_schema(record: RecordType[Any]) -> None:
    defaulted = {field["name"] for field in newest(record)["fields"] if "default" in field}
    assert {field.name for field in fields(record.type) if has_default(field)} <= defaulted
    nullable = [field for field in all_fields(newest(record)) if "null" in field["type"]]
    assert all("default" in field and field["default"] is None for field in nullable)


@every_record
def test_every_record_and_field_says_what_it_is(record: RecordType[Any]) -> None:
    assert newest(record)["doc"]
    assert all(field["doc"].endswith(".") for field in all_fields(newest(record)))


def test_every_subject_has_its_dataclass() -> None:
    assert bundled_schemas().subjects() == sorted(record.subject for record in RECORDS)


def test_a_foreign_producer_must_give_five_fields_only() -> None:
    schema = json.loads(bundled_schemas().latest("connectory.ActionRequest").text)
    assert {field["name"] for field in schema["fields"] if "default" not in field} == FOREIGN_REQUIRED


@every_file
def test_a_released_schema_is_unchanged(entry: Released) -> None:
    assert fingerprint(schema_file(entry["file"])) == entry["fingerprint"]


def test_every_schema_file_is_released() -> None:
    folder = Path(connectory_schemas.__file__).parent / "avro"
    assert sorted(path.name for path in folder.iterdir()) == sorted(entry["file"] for entry in RELEASED)


def test_ids_are_unique() -> None:
    assert len({entry["id"] for entry in RELEASED}) == len(RELEASED)


@pytest.mark.parametrize("subject", bundled_schemas().subjects())
def test_all_versions_of_a_subject_read_each_other(subject: str) -> None:
    texts = [bundled_schemas().version(subject, version).text for version in bundled_schemas().versions(subject)]
    assert [problems for pair in combinations(texts, 2) if (problems := incompatibilities(*pair))] == []
    assert incompatibilities(texts[-1], texts[-1]) == []


def test_a_record_inside_others_is_the_same_everywhere() -> None:
    seen: dict[str, set[str]] = {}
    for record in RECORDS:
        for field in all_fields(newest(record)):
            for branch in field["type"] if isinstance(field["type"], list) else [field["type"]]:
                if isinstance(branch, dict) and branch["type"] == "record":
                    seen.setdefault(branch["name"], set()).add(json.dumps(branch, sort_keys=True))
    assert {name for name, texts in seen.items() if len(texts) > 1} == set()
