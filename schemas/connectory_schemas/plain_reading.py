"""Avro's binary encoding of plain records, read straight into dictionaries.

fastavro is the reference and reads everything else, whatever looks odd included: it says then what is wrong. This is
here because every outcome is read for the event log, and it takes about half of the time for them. It knows what
`plain` knows.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from struct import Struct
from typing import Any, Final, TypeAlias

from connectory_schemas.plain import EPOCH, NotPlain, named_fields
from connectory_schemas.source_text import SourceText

Read: TypeAlias = Callable[[bytes, int], tuple[Any, int]]
"""From where in the bytes a value begins, to the value and where it ends."""

TIME_BYTES: Final = 8
"""Of a time of our days, in microseconds. Others are left to the library."""

LOWER_BYTES: Final = 3
"""Those of a time that are worked out each time: the others stay as they are for a second."""


ODD_OR_LONG: Final = 0x81
"""In the first byte of a length: a negative one, or one of several bytes."""


def plain_reader(schema: object) -> Read:
    """Return what reads a record into a dictionary. `schema` is as fastavro has parsed it.

    Raises `NotPlain` for a schema that it does not know; what is returned raises it, IndexError, UnicodeDecodeError or
    `struct.error` for bytes. The end may lie behind that of the bytes: then they were too few.
    """
    text = SourceText("read", "data", "at")
    datum = _record(text, schema)
    text.add(f"return {datum}, at")
    return text.compiled()


def _record(text: SourceText, schema: object) -> str:
    """Statements that read the fields, and the expression of the dictionary of them."""
    values = [f"{name!r}: {_value(text, type_)}" for name, type_ in named_fields(schema)]
    return f"{{{', '.join(values)}}}"


def _value(text: SourceText, schema: object) -> str:
    """Statements that read a value, and its expression."""
    variable = text.variable()
    match schema:
        case "string":
            _add_string(text, variable, 1)
        case ["null", inner]:
            _add_or_null(text, inner, variable)
        case {"type": "record"}:
            return _record(text, schema)
        case _:
            text.add(f"{variable}, at = {text.bind(_scalar(schema))}(data, at)")
    return variable


def _add_string(text: SourceText, variable: str, indent: int) -> None:
    """A length of one byte is read here: nearly all are."""
    text.add(
        "size = data[at]",
        f"if size & {ODD_OR_LONG}:",
        f"    {variable}, at = {text.bind(_string)}(data, at)",
        "else:",
        "    end = at + 1 + (size >> 1)",
        f"    {variable} = data[at + 1:end].decode()",
        "    at = end",
        indent=indent,
    )


def _add_or_null(text: SourceText, schema: object, variable: str) -> None:
    text.add("branch = data[at]", "at += 1", "if branch == 0:", f"    {variable} = None", "elif branch == 2:")
    if schema == "string":
        _add_string(text, variable, 2)
    else:
        read = plain_reader(schema) if isinstance(schema, dict) and "fields" in schema else _scalar(schema)
        text.add(f"{variable}, at = {text.bind(read)}(data, at)", indent=2)
    text.add("else:", f"    raise {text.bind(NotPlain)}('neither null nor a value')")


def _scalar(schema: object) -> Read:
    match schema:
        case {"type": "long", "logicalType": "timestamp-micros"}:
            return _time
        case str() if schema in _SCALARS:
            return _SCALARS[schema]
        case _:
            raise NotPlain(f"{schema} is no plain type")


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
_SCALARS: Final[Mapping[str, Read]] = {
    "int": _integer,
    "long": _integer,
    "boolean": _boolean,
    "double": _double,
}
