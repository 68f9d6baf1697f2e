"""Records on the log ↔ dataclasses of the domain.

`Messages` is what the roles use. How each dataclass is carried stands in `records`, the bytes are made by
`connectory_schemas`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeVar

from connectory.domain.errors import Undecodable, Unencodable
from connectory.infra.log import Message
from connectory.infra.messages.cloudevents import event_headers, read_traceparent, trace_id_of
from connectory.infra.messages.records import RECORDS, RecordType
from connectory_schemas.codec import Codec, Malformed
from connectory_schemas.registry import SchemaRegistry, bundled_schemas

__all__ = ["Messages", "read_traceparent", "trace_id_of"]

T = TypeVar("T")

_BY_TYPE: Final[dict[type, RecordType[Any]]] = {record.type: record for record in RECORDS}
_BY_SUBJECT: Final[dict[str, RecordType[Any]]] = {record.subject: record for record in RECORDS}


class Messages:
    """Encodes and decodes every record on the log. Safe to share; holds parsed schemas only."""

    def __init__(self, registry: SchemaRegistry | None = None) -> None:
        """The registry gives the schema ids on the wire; by default those of `connectory_schemas`."""
        self._codec = Codec(registry or bundled_schemas())

    def encode(self, record: object) -> bytes:
        """Return the record in the Confluent wire format. Events are written without `wrapped_key`.

        Raises `Unencodable` for values that no record can hold: NaN, JSON nested too deep, a number out of range.
        """
        record_type = _BY_TYPE[type(record)]
        try:
            return self._encode(record_type, record)
        except (ValueError, OverflowError) as error:
            raise Unencodable(f"Cannot write {record_type.name}: {error}") from error

    def _encode(self, record_type: RecordType[Any], record: object) -> bytes:
        subject, shape = record_type.subject, record_type.shape
        value = self._codec.encode_plain(subject, record) if shape.is_plain else None
        return self._codec.encode(subject, shape.write(record)) if value is None else value

    def decode(self, value: bytes | None, *expected: type[T]) -> T:
        """Return the record, which is of one of the expected types.

        Raises `Undecodable` for anything else: no value, bytes that are not a record, an unknown schema id, a record
        of another type, JSON text that is not JSON. Where several types are expected, a tuple of them has the type
        `tuple[type[TheirUnion], ...]`.
        """
        record_type, datum = self._read(value, expected)
        try:
            record: T = record_type.shape.read(datum)
        except ValueError as error:
            raise Undecodable(f"Not a valid {record_type.name}: {error}") from error
        return record

    def fields_reader(self, *expected: type) -> Callable[[bytes | None], dict[str, Any]]:
        """What returns a record's fields by name, as its schema has them and nobody has checked them: records in it are
        mappings, words any text. A third of the work of `decode` for those who pass the fields on.

        What is returned raises `Undecodable`.
        """
        subjects, decode = {_BY_TYPE[type_].subject for type_ in expected}, self._codec.decode

        def read(value: bytes | None) -> dict[str, Any]:
            try:
                subject, datum = decode(value or b"")
                if subject in subjects:
                    return datum
            except Malformed:
                pass
            return self._read(value, expected)[1]  # which says what is wrong

        return read

    def _read(self, value: bytes | None, expected: tuple[type, ...]) -> tuple[RecordType[Any], dict[str, Any]]:
        if value is None:
            raise Undecodable("The record has no value")
        try:
            subject, datum = self._codec.decode(value)
        except Malformed as error:
            raise Undecodable(str(error)) from error
        record_type = _BY_SUBJECT[subject]
        if record_type.type not in expected:
            wanted = " or ".join(_BY_TYPE[type_].name for type_ in expected)
            raise Undecodable(f"Expected {wanted}, got {record_type.name}")
        return record_type, datum

    def message(
        self,
        topic: str,
        key: str | None,
        record: object,
        *,
        at: datetime,
        partition: int | None = None,
        traceparent: str | None = None,
    ) -> Message:
        """Return the record ready to be written, with its CloudEvents headers. `at` becomes `ce_time`.

        Raises `Unencodable`, as `encode` does.
        """
        value = self.encode(record)
        record_type = _BY_TYPE[type(record)]
        headers = event_headers(topic, record_type.subject, record_type.identity(record), at, traceparent)
        return Message(topic, None if key is None else _key_bytes(key), value, headers, partition)


def _key_bytes(key: str) -> bytes:
    try:
        return key.encode()
    except UnicodeEncodeError as error:
        raise Unencodable(f"Cannot write the key {key!r}: {error.reason}") from error
