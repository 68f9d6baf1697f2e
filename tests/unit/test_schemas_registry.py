"""The registry's answers: by id, by subject, by version."""

import json

import pytest

from connectory_schemas.registry import NotRegistered, RegisteredSchema, SchemaRegistry, bundled_schemas, fingerprint

V1 = RegisteredSchema(7, "connectory.Thing", 1, '{"a": 1, "b": 2}')
V2 = RegisteredSchema(9, "connectory.Thing", 2, '{"a": 2}')
OTHER = RegisteredSchema(8, "connectory.Another", 1, '"string"')
REGISTRY = SchemaRegistry([V2, V1, OTHER])


def test_subjects_are_listed_in_order() -> None:
    assert REGISTRY.subjects() == ["connectory.Another", "connectory.Thing"]


def test_versions_are_listed_in_order() -> None:
    assert REGISTRY.versions("connectory.Thing") == [1, 2]


def test_a_schema_is_found_by_id_by_version_and_as_the_latest() -> None:
    assert REGISTRY.by_id(7) == V1.text
    assert REGISTRY.version("connectory.Thing", 1) == V1
    assert REGISTRY.latest("connectory.Thing") == V2


def test_a_schema_is_found_by_what_it_says_however_it_is_laid_out() -> None:
    assert REGISTRY.find("connectory.Thing", '{"b":2,"a":1}') == V1


def test_what_is_not_registered_is_told_apart() -> None:
    with pytest.raises(NotRegistered, match="Schema 1 not found") as schema:
        REGISTRY.by_id(1)
    with pytest.raises(NotRegistered, match=r"Subject 'connectory\.Nothing' not found") as subject:
        REGISTRY.versions("connectory.Nothing")
    with pytest.raises(NotRegistered, match="Version 3 not found") as version:
        REGISTRY.version("connectory.Thing", 3)
    assert [e.value.missing for e in (schema, subject, version)] == ["schema", "subject", "version"]


def test_the_bundled_schemas_are_served_as_json() -> None:
    schema = json.loads(bundled_schemas().latest("connectory.ActionRequest").text)
    assert (schema["namespace"], schema["name"]) == ("connectory", "ActionRequest")


def test_a_fingerprint_sees_docs_and_defaults() -> None:
    assert fingerprint('{"doc": "a"}') != fingerprint('{"doc": "b"}')
    assert fingerprint('{"default": 1}') != fingerprint('{"default": 2}')
