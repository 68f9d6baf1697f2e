"""Adding schema files: what may be released, and what may not."""

import json
from pathlib import Path

import pytest

from connectory_schemas.compatibility import incompatibilities
from connectory_schemas.release import NotReleasable, release

ID = {"name": "id", "type": "string"}
NOTE = {"name": "note", "type": ["null", "string"], "default": None}
COUNT = {"name": "count", "type": "long"}


def a_schema(*fields: object) -> str:
    return json.dumps({"type": "record", "name": "Thing", "namespace": "connectory", "fields": fields})


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "avro").mkdir()
    (tmp_path / "avro" / "Thing.v1.avsc").write_text(a_schema(ID))
    release(tmp_path)
    return tmp_path


def test_a_new_version_gets_the_next_id(package: Path) -> None:
    (package / "avro" / "Thing.v2.avsc").write_text(a_schema(ID, NOTE))
    assert [(entry["id"], entry["record"], entry["version"]) for entry in release(package)] == [
        (2, "connectory.Thing", 2)
    ]


def test_releasing_again_changes_nothing(package: Path) -> None:
    before = (package / "registry.json").read_bytes()
    assert release(package) == []
    assert (package / "registry.json").read_bytes() == before


def test_an_edited_file_is_refused(package: Path) -> None:
    (package / "avro" / "Thing.v1.avsc").write_text(a_schema(ID, NOTE))
    with pytest.raises(NotReleasable, match=r"Thing\.v1\.avsc was edited after its release"):
        release(package)


@pytest.mark.parametrize("name", ["thing.avsc", "Thing.v0.avsc", "Thing.v3.avsc", "Other.v1.avsc"])
def test_a_file_name_that_does_not_say_what_is_in_it_is_refused(package: Path, name: str) -> None:
    (package / "avro" / name).write_text(a_schema(ID, NOTE))
    with pytest.raises(NotReleasable, match=name):
        release(package)


def test_an_incompatible_version_is_refused(package: Path) -> None:
    (package / "avro" / "Thing.v2.avsc").write_text(a_schema(ID, COUNT))
    with pytest.raises(NotReleasable, match=r"the newer cannot read the older: .*default.* count"):
        release(package)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ([ID], [ID, NOTE]),
        ([ID, NOTE], [ID]),
        ([ID, NOTE], [NOTE, ID]),
    ],
)
def test_fields_with_defaults_may_come_go_and_move(older: list[object], newer: list[object]) -> None:
    assert incompatibilities(a_schema(*older), a_schema(*newer)) == []


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ([ID], [ID, COUNT]),
        ([ID, COUNT], [ID]),
        ([COUNT], [{"name": "count", "type": "string"}]),
        ([COUNT], [{"name": "count", "type": "int"}]),
        ([NOTE], [{"name": "note", "type": ["null", "string", "long"], "default": None}]),
        (
            [{"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["A", "B"]}}],
            [{"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["A"]}}],
        ),
    ],
)
def test_changes_that_one_side_cannot_read_are_found(older: list[object], newer: list[object]) -> None:
    assert incompatibilities(a_schema(*older), a_schema(*newer)) != []
