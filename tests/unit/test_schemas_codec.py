"""The Confluent wire format, and reading what another version wrote."""

import json
from io import BytesIO

import pytest
from fastavro import parse_schema, schemaless_writer

from connectory_schemas.codec import Codec, Malformed
from connectory_schemas.registry import NotRegistered, RegisteredSchema, SchemaRegistry, bundled_schemas

SUBJECT = "connectory.CommandRefused"
DATUM = {"command_id": "m1", "subject_id": "c1", "code": "connector-not-found", "message": "no"}
ID = bundled_schemas().latest(SUBJECT).id


def a_registry(*others: RegisteredSchema) -> SchemaRegistry:
    return SchemaRegistry([*bundled_schemas(), *others])


def a_version(schema_id: int, *, without: str = "", with_field: str = "") -> RegisteredSchema:
    """Another version of the subject, as a newer Connectory may have registered it."""
    schema = json.loads(bundled_schemas().latest(SUBJECT).text)
    fields = [field for field in schema["fields"] if field["name"] != without]
    extra = [{"name": with_field, "type": "string", "default": ""}] if with_field else []
    return RegisteredSchema(schema_id, SUBJECT, 2, json.dumps({**schema, "fields": [*fields, *extra]}))


def encoded_by(version: RegisteredSchema, datum: dict[str, str]) -> bytes:
    out = BytesIO(b"\0" + version.id.to_bytes(4, "big"))
    out.seek(5)
    schemaless_writer(out, parse_schema(json.loads(version.text)), datum)
    return out.getvalue()


def test_a_record_starts_with_the_magic_byte_and_its_schema_id() -> None:
    assert Codec(bundled_schemas()).encode(SUBJECT, DATUM)[:5] == b"\0" + ID.to_bytes(4, "big")


def test_what_is_encoded_is_decoded_with_its_subject() -> None:
    codec = Codec(bundled_schemas())
    assert codec.decode(codec.encode(SUBJECT, DATUM)) == (SUBJECT, DATUM)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "0 bytes are too short"),
        (b"\0\0\0\0", "4 bytes are too short"),
        (b'{"request_id": 1}', "first byte is 0x7b, not the magic byte"),
        (b"\0\xff\xff\xff\xff", "schema id 4294967295 is unknown"),
        (b"\0" + ID.to_bytes(4, "big"), f"not a {SUBJECT}: EOFError"),
        (b"\0" + ID.to_bytes(4, "big") + b"\x04\xff\xfe\x00\x00\x00", f"not a {SUBJECT}: UnicodeDecodeError"),
    ],
)
def test_bytes_that_are_not_a_record_are_malformed(value: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        Codec(bundled_schemas()).decode(value)


def test_a_record_cut_short_anywhere_is_malformed() -> None:
    codec = Codec(bundled_schemas())
    whole = codec.encode(SUBJECT, DATUM)
    for length in range(len(whole)):
        with pytest.raises(Malformed):
            codec.decode(whole[:length])


def test_bytes_after_the_record_are_malformed() -> None:
    codec = Codec(bundled_schemas())
    with pytest.raises(Malformed, match=f"2 bytes follow the {SUBJECT}"):
        codec.decode(codec.encode(SUBJECT, DATUM) + b"ab")


def test_a_record_of_a_version_with_more_fields_is_read_as_ours() -> None:
    newer = a_version(900, with_field="hint")
    value = encoded_by(newer, {**DATUM, "hint": "try again"})
    assert Codec(a_registry(newer)).decode(value) == (SUBJECT, DATUM)


def test_a_version_registered_meanwhile_is_learnt() -> None:
    newer, registry = a_version(900, with_field="hint"), a_registry()
    codec = Codec(registry)
    registry.add(newer)
    assert codec.decode(encoded_by(newer, {**DATUM, "hint": ""})) == (SUBJECT, DATUM)


def test_a_version_that_lacks_what_we_need_is_malformed() -> None:
    version = a_version(900, without="message")
    with pytest.raises(Malformed, match="message"):
        Codec(a_registry(version)).decode(encoded_by(version, DATUM))


def test_a_registered_text_that_is_no_schema_is_malformed() -> None:
    registry = a_registry(RegisteredSchema(900, SUBJECT, 2, '{"type": "nothing"}'))
    with pytest.raises(Malformed, match="schema 900 cannot be used"):
        Codec(registry).decode(b"\0" + (900).to_bytes(4, "big") + b"x")


def test_ours_is_written_even_when_the_registry_has_a_newer_version() -> None:
    codec = Codec(a_registry(a_version(900, with_field="hint")))
    assert codec.encode(SUBJECT, DATUM)[:5] == b"\0" + ID.to_bytes(4, "big")


def test_a_registry_without_our_schemas_is_refused() -> None:
    with pytest.raises(NotRegistered):
        Codec(SchemaRegistry())
