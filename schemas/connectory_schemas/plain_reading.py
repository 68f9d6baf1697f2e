"""Avro's binary encoding of plain records, read straight into dictionaries.

fastavro is the reference and reads everything else, whatever looks odd included: it says then what is wrong. This is
here because every outcome is read for the event log, and it takes two thirds of the time for them. It knows what
`plain` knows.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from struct import Struct
from typing import Any, Final, TypeAlias

from connectory_schemas.plain import EPOCH, NotPlain

Read: TypeAlias = Callable[[bytes, int], tuple[Any, int]]
"""From where in the bytes a value begins, to the value and where it ends."""

TIME_BYTES: Final = 8
"""Of a time of our days, in microseconds. Others are left to the library."""

LOWER_BYTES: Final = 3
"""Those of a time that are worked out each time: the others stay as they are for a second."""


def plain_reader(schema: object) -> Read:
    """Return what reads a record into a dictionary. `schema` is as fastavro has parsed it.

    Raises `NotPlain` for a schema that it does not know; what is returned raises it, IndexError, UnicodeDecodeError or
    `struct.error` for bytes. The end may lie behind that of the bytes: then they were too few.
    """
    match schema:
        case {"type": "record", "fields": list() as fields}:
            return _record(fields)
        case _:
            raise NotPlain("only a record has fields")


def _record(fields: Sequence[Mapping[str, object]]) -> Read:
    reads = tuple((str(field["name"]), _reader(field["type"])) for field in fields)

    def read(data: bytes, at: int) -> tuple[dict[str, Any], int]:
        datum = {}
        for name, read_value in reads:
            datum[name], at = read_value(data, at)
        return datum, at

    return read


def _reader(schema: object) -> Read:
    match schema:
        case ["null", inner]:
            return _string_or_null if inner == "string" else _or_null(_reader(inner))
        case {"type": "long", "logicalType": "timestamp-micros"}:
            return _time
        case {"type": "record"}:
            return plain_reader(schema)
        case str() if schema in _PRIMITIVES:
            return _PRIMITIVES[schema]
        case _:
            raise NotPlain(f"{schema} is no plain type")


def _or_null(read_present: Read) -> Read:
    def read(data: bytes, at: int) -> tuple[Any, int]:
        branch = data[at]
        if branch == 0:
            return None, at + 1
        if branch == 2:
            return read_present(data, at + 1)
        raise NotPlain("neither null nor a value")

    return read


def _string_or_null(data: bytes, at: int) -> tuple[str | None, int]:
    branch = data[at]
    if branch == 0:
        return None, at + 1
    if branch == 2:
        return _string(data, at + 1)
    raise NotPlain("neither null nor a string")


def _string(data: bytes, at: int) -> tuple[str, int]:
    size = data[at]
    at += 1
    if size > 0x7F:
        more = data[at]
        at += 1
        if more > 0x7F:
            raise NotPlain("a long string")
        size = size & 0x7F | more << 7
    if size & 1:
        raise NotPlain("a negative length")
    end = at + (size >> 1)
    return data[at:end].decode(), end


def _integer(data: bytes, at: int) -> tuple[int, int]:
    byte = number = data[at]
    at += 1
    if byte > 0x7F:
        number, shift = byte & 0x7F, 7
        while byte > 0x7F:
            byte = data[at]
            at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
        if shift > 35:
            raise NotPlain("a large number")
    return number >> 1 ^ -(number & 1), at


def _boolean(data: bytes, at: int) -> tuple[bool, int]:
    if data[at] > 1:
        raise NotPlain("neither true nor false")
    return data[at] == 1, at + 1


def _double(data: bytes, at: int) -> tuple[float, int]:
    return _DOUBLE(data, at)[0], at + 8


def _time(data: bytes, at: int) -> tuple[datetime, int]:
    """The upper digits of times change every second."""
    end = at + TIME_BYTES
    first, second, third = data[at], data[at + 1], data[at + 2]
    if first & second & third < 0x80:
        raise NotPlain("a time of other days")
    zigzag = first & 0x7F | (second & 0x7F) << 7 | (third & 0x7F) << 14 | _upper(data[at + LOWER_BYTES : end])
    return EPOCH + _delta(0, 0, zigzag >> 1 ^ -(zigzag & 1)), end


@lru_cache(maxsize=64)
def _upper(digits: bytes) -> int:
    if len(digits) != TIME_BYTES - LOWER_BYTES:
        raise NotPlain("a time that is cut off")
    *others, last = digits
    if last > 0x7F or any(digit < 0x80 for digit in others):
        raise NotPlain("a time of other days")
    return sum((digit & 0x7F) << 7 * (place + LOWER_BYTES) for place, digit in enumerate(digits))


_delta = timedelta
_DOUBLE = Struct("<d").unpack_from
_PRIMITIVES: Final[Mapping[str, Read]] = {
    "string": _string,
    "int": _integer,
    "long": _integer,
    "boolean": _boolean,
    "double": _double,
}
