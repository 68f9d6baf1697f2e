"""Bytes ↔ plain values, in the Confluent wire format: a zero byte, the schema id (4 bytes, big-endian), the body."""

import json
import struct
from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final, NamedTuple, TypeAlias, cast

from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.read import SchemaResolutionError
from fastavro.schema import SchemaParseException
from fastavro.types import Schema

from connectory_schemas.plain import NotPlain, Write, plain_writer
from connectory_schemas.plain_reading import Read, plain_reader
from connectory_schemas.registry import NotRegistered, SchemaRegistry, bundled_schemas

Datum: TypeAlias = dict[str, Any]
"""A record as a dictionary of plain values; the Avro edge is where `Any` ends."""

MAGIC: Final = 0
PREFIX_BYTES: Final = 5

_UNREADABLE = (EOFError, LookupError, ValueError, ArithmeticError, TypeError, SchemaResolutionError)
"""What fastavro raises on bytes that are not what the schema says."""

_NOT_PLAIN = (NotPlain, AttributeError, TypeError, UnicodeEncodeError)
_UNPLAIN_BYTES = (NotPlain, IndexError, OverflowError, UnicodeDecodeError, struct.error)


class Malformed(ValueError):
    """Bytes that are not a record of a known schema. The message says in what way."""


class _Writing(NamedTuple):
    """`plain` is None for a record that is not plain."""

    prefix: bytes
    schema: Schema
    plain: Write | None


class _Reading(NamedTuple):
    """`newest` is None when the writer's schema is the newest: no resolution needed. `plain` is None then for a record
    that is not plain, and else always.
    """

    subject: str
    written: Schema
    newest: Schema | None
    plain: Read | None = None


class Codec:
    """Writes the newest version of each record and reads any version as the newest.

    Newest means: of the schemas that come with this package, whatever else the registry holds. The registry may grow
    meanwhile; an id is looked up when it is first seen.
    """

    def __init__(self, registry: SchemaRegistry) -> None:
        self._registry = registry
        self._writing: dict[str, _Writing] = {}
        self._reading: dict[bytes, _Reading] = {}
        """By what a value begins with."""
        bundled = bundled_schemas()
        for subject in bundled.subjects():
            text = bundled.latest(subject).text
            schema_id = registry.find(subject, text).id
            self._writing[subject] = _writing(schema_id, _parse(text))
            writing = self._writing[subject]
            self._reading[writing.prefix] = _newest_reading(subject, writing.schema)

    def encode(self, subject: str, datum: Mapping[str, object]) -> bytes:
        """Raises ValueError, TypeError or OverflowError when a value does not fit its field.

        Lone surrogates, which UTF-8 has no bytes for, are written as U+FFFD: texts that targets answered hold them.
        """
        writing = self._writing[subject]
        try:
            return _write(writing, datum)
        except UnicodeEncodeError:
            return _write(writing, _without_surrogates(datum))

    def encode_plain(self, subject: str, record: object) -> bytes | None:
        """The same bytes, faster: `record` has its fields as attributes, with values as the schema wants them.

        None when record or values are not so plain: `encode` writes them, or says why not.
        """
        plain = self._writing[subject].plain
        try:
            return plain(record) if plain is not None else None
        except _NOT_PLAIN:
            return None

    def decode(self, value: bytes) -> tuple[str, Datum]:
        """Return the subject and the record as its newest version says. Raises `Malformed`."""
        reading = self._reading.get(value[:PREFIX_BYTES]) or self._learn(value)
        if reading.plain is not None:
            try:
                datum, end = reading.plain(value, PREFIX_BYTES)
                if end == len(value):
                    return reading.subject, datum
            except _UNPLAIN_BYTES:
                pass  # not so plain, or not right: the library reads it, or says what is wrong
        return reading.subject, _read(reading, value)

    def _learn(self, value: bytes) -> _Reading:
        if len(value) < PREFIX_BYTES:
            raise Malformed(f"{len(value)} bytes are too short for a magic byte and a schema id")
        if value[0] != MAGIC:
            raise Malformed(f"The first byte is 0x{value[0]:02x}, not the magic byte 0x00")
        schema_id = int.from_bytes(value[1:PREFIX_BYTES], "big")
        try:
            schema = self._registry.schema(schema_id)
            reading = _Reading(schema.subject, _parse(schema.text), self._writing[schema.subject].schema)
        except NotRegistered as error:
            raise Malformed(f"The schema id {schema_id} is unknown") from error
        except (KeyError, ValueError, SchemaParseException) as error:
            raise Malformed(f"The schema {schema_id} cannot be used: {_reason(error)}") from error
        self._reading[value[:PREFIX_BYTES]] = reading
        return reading


def _writing(schema_id: int, schema: Schema) -> _Writing:
    prefix = bytes([MAGIC]) + schema_id.to_bytes(4, "big")
    try:
        return _Writing(prefix, schema, plain_writer(schema, prefix))
    except NotPlain:
        return _Writing(prefix, schema, None)


def _newest_reading(subject: str, schema: Schema) -> _Reading:
    try:
        return _Reading(subject, schema, None, plain_reader(schema))
    except NotPlain:
        return _Reading(subject, schema, None)


def _read(reading: _Reading, value: bytes) -> Datum:
    body = BytesIO(value)
    body.seek(PREFIX_BYTES)
    try:
        datum = schemaless_reader(body, reading.written, reading.newest)
    except _UNREADABLE as error:
        raise Malformed(f"The body is not a {reading.subject}: {_reason(error)}") from error
    if (rest := len(value) - body.tell()) != 0:
        raise Malformed(f"{rest} bytes follow the {reading.subject}")
    return cast("Datum", datum)


def _write(writing: _Writing, datum: Mapping[str, object]) -> bytes:
    out = BytesIO()
    out.write(writing.prefix)
    schemaless_writer(out, writing.schema, datum)
    return out.getvalue()


def _without_surrogates(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case Mapping():
            return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
        case list() | tuple():
            return type(value)(_without_surrogates(item) for item in value)
        case _:
            return value


def _parse(text: str) -> Schema:
    """Each schema has its own names: versions of a record share theirs."""
    return parse_schema(json.loads(text), named_schemas={})


def _reason(error: Exception) -> str:
    return f"{type(error).__name__} {error}".strip()
