"""Avro's binary encoding of plain records, straight from an object's attributes.

fastavro is the reference and writes everything else. This is here because two outcomes are written for each request:
it takes well under half of the time for them. It knows strings, numbers, booleans, times, records of these, and
null or one of these; what it does not know, it leaves to the library, schemas and values alike.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter, call
from struct import Struct
from typing import Any, Final, TypeAlias, cast

Write: TypeAlias = Callable[[Any], bytes]

SMALL: Final = 2048
"""Numbers, and lengths of strings, that are looked up. All others are worked out."""
NULL: Final = b"\x00"
NOT_NULL: Final = b"\x02"
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class NotPlain(ValueError):
    """A schema or a value that is left to the library, which writes it or says what is wrong with it."""


def plain_writer(schema: object, prefix: bytes = b"") -> Write:
    """Return what writes the attributes of an object that are named as the fields of a record are.

    `schema` is as fastavro has parsed it. Raises `NotPlain` for a schema that it does not know; what is returned
    raises it, AttributeError, TypeError or UnicodeEncodeError for a value.
    """
    match schema:
        case {"type": "record", "fields": list() as fields}:
            return _record(fields, prefix)
        case _:
            raise NotPlain("only a record has fields")


def _record(fields: Sequence[Mapping[str, object]], prefix: bytes) -> Write:
    if len(fields) < 2:  # `attrgetter` gives no tuple then
        raise NotPlain("a record of fewer than two fields")
    values: Callable[[object], tuple[object, ...]] = attrgetter(*(str(field["name"]) for field in fields))
    writes = tuple(_writer(field["type"]) for field in fields)

    def write(record: object) -> bytes:
        return prefix + b"".join(map(_CALL, writes, values(record)))

    return write


def _writer(schema: object) -> Write:
    match schema:
        case ["null", inner]:
            return _string_or_null if inner == "string" else _or_null(_writer(inner))
        case {"type": "long", "logicalType": "timestamp-micros"}:
            return _time
        case {"type": "record"}:
            return plain_writer(schema)
        case str() if schema in _PRIMITIVES:
            return _PRIMITIVES[schema]
        case _:
            raise NotPlain(f"{schema} is no plain type")


def _or_null(write_present: Write) -> Write:
    def write(value: object) -> bytes:
        return NULL if value is None else NOT_NULL + write_present(value)

    return write


def _string_or_null(value: str | None) -> bytes:
    if value is None:
        return NULL
    text = value.encode()
    size = len(text)
    return (_PRESENT[size] if size < SMALL else NOT_NULL + _varint(size << 1)) + text


def _string(value: str) -> bytes:
    text = value.encode()
    size = len(text)
    return (_LENGTHS[size] if size < SMALL else _varint(size << 1)) + text


def _integer(bits: int) -> Write:
    beyond = 1 << bits - 1

    def write(value: int) -> bytes:
        if type(value) is not int or not -beyond <= value < beyond:
            raise NotPlain(f"{value!r} is no integer of {bits} bits")
        return _LENGTHS[value] if 0 <= value < SMALL else _varint(value << 1 ^ value >> 63)

    return write


def _boolean(value: bool) -> bytes:
    if value is True:
        return b"\x01"
    if value is False:
        return b"\x00"
    raise NotPlain(f"{value!r} is no boolean")


def _double(value: float) -> bytes:
    if type(value) is not float:
        raise NotPlain(f"{value!r} is no floating-point number")
    return _DOUBLE(value)


def _time(value: datetime) -> bytes:
    """Naive datetimes cannot be subtracted: a TypeError. The upper digits of times change every few milliseconds."""
    since = value - EPOCH
    micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    zigzag = micros << 1 ^ micros >> 63
    if zigzag < 1 << 14:
        return _varint(zigzag)
    return bytes((zigzag & 0x7F | 0x80, zigzag >> 7 & 0x7F | 0x80)) + _upper(zigzag >> 14)


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the highest bit says that more follow."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


_upper = lru_cache(maxsize=64)(_varint)
_CALL = cast("Callable[[Write, Any], bytes]", call)
_DOUBLE = Struct("<d").pack
_LENGTHS: Final = tuple(_varint(number << 1) for number in range(SMALL))
_PRESENT: Final = tuple(NOT_NULL + length for length in _LENGTHS)
_PRIMITIVES: Final[Mapping[str, Write]] = {
    "string": _string,
    "int": _integer(32),
    "long": _integer(64),
    "boolean": _boolean,
    "double": _double,
}
