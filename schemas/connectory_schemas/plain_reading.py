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

AddReading: TypeAlias = Callable[[SourceText, str, int], None]
"""Adds the statements that read a value into the variable of that name and move `at` behind it."""

TIME_BYTES: Final = 8
"""Of a time of our days, in microseconds. Others are left to the library."""

LOWER_BYTES: Final = 3
"""Those of a time that change all the while."""

TIMES_KEPT: Final = 4096
"""The times that are not worked out anew: the records of one request tell of the same ones."""

SECONDS_KEPT: Final = 64

MORE_FOLLOW: Final = 0x80
"""In a byte of a number: it is not the last."""


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
    match schema:
        case {"type": "record"}:
            return _record(text, schema)
        case ["null", inner]:
            variable = text.variable()
            _add_or_null(text, inner, variable)
        case _:
            variable = text.variable()
            _reading_of(schema)(text, variable, 1)
    return variable


def _add_or_null(text: SourceText, schema: object, variable: str) -> None:
    text.add("branch = data[at]", "at += 1", "if not branch:", f"    {variable} = None", "elif branch == 2:")
    if isinstance(schema, dict) and "fields" in schema:
        text.add(f"{variable}, at = {text.bind(plain_reader(schema))}(data, at)", indent=2)
    else:
        _reading_of(schema)(text, variable, 2)
    text.add("else:", f"    raise {text.bind(NotPlain)}('neither null nor a value')")


def _reading_of(schema: object) -> AddReading:
    match schema:
        case {"type": "long", "logicalType": "timestamp-micros"}:
            return _add_time
        case str() if schema in _READING:
            return _READING[schema]
        case _:
            raise NotPlain(f"{schema} is no plain type")


def _add_string(text: SourceText, variable: str, indent: int) -> None:
    """A length of one byte is read here: nearly all are."""
    text.add(
        f"size = {text.bind(_SIZES)}[data[at]]",
        "if size:",
        f"    {variable} = data[at + 1:(at := at + size)].decode()",
        "else:",
        f"    {variable}, at = {text.bind(_string)}(data, at)",
        indent=indent,
    )


def _add_integer(text: SourceText, variable: str, indent: int) -> None:
    """Likewise one of one byte."""
    text.add(
        f"{variable} = data[at]",
        f"if {variable} & {MORE_FOLLOW}:",
        f"    {variable}, at = {text.bind(_integer)}(data, at)",
        "else:",
        f"    {variable} = {variable} >> 1 ^ -({variable} & 1)",
        "    at += 1",
        indent=indent,
    )


def _add_boolean(text: SourceText, variable: str, indent: int) -> None:
    text.add(
        f"{variable} = data[at]",
        f"if {variable} > 1:",
        f"    raise {text.bind(NotPlain)}('neither true nor false')",
        f"{variable} = {variable} == 1",
        "at += 1",
        indent=indent,
    )


def _add_double(text: SourceText, variable: str, indent: int) -> None:
    text.add(f"{variable}, = {text.bind(_DOUBLE)}(data, at)", "at += 8", indent=indent)


def _add_time(text: SourceText, variable: str, indent: int) -> None:
    text.add(f"end = at + {TIME_BYTES}", f"{variable} = {text.bind(_time)}(data[at:end])", "at = end", indent=indent)


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
    """One of two bytes or more."""
    byte = data[at + 1]
    number, at, shift = data[at] & 0x7F | (byte & 0x7F) << 7, at + 2, 14
    while byte & MORE_FOLLOW:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
    if shift > 35:
        raise NotPlain("a large number")
    return number >> 1 ^ -(number & 1), at


@lru_cache(TIMES_KEPT)
def _time(digits: bytes) -> datetime:
    """`digits` hold seven bits each, the lowest first; the lowest bit of all is the sign."""
    if len(digits) != TIME_BYTES:
        raise NotPlain("a time that is cut off")
    first, second, third = digits[:LOWER_BYTES]
    if first & 1 or first & second & third < MORE_FOLLOW:
        raise NotPlain("a time of other days")
    lower = (first & 0x7F | (second & 0x7F) << 7 | (third & 0x7F) << 14) >> 1
    return _second_of(digits[LOWER_BYTES:]) + timedelta(0, 0, lower)


@lru_cache(SECONDS_KEPT)
def _second_of(upper: bytes) -> datetime:
    """The time without its lower digits, which stays as it is for about a second."""
    *others, last = upper
    if last & MORE_FOLLOW or any(digit < MORE_FOLLOW for digit in others):
        raise NotPlain("a time of other days")
    microseconds = sum((digit & 0x7F) << 7 * place for place, digit in enumerate(upper)) << 7 * LOWER_BYTES - 1
    return EPOCH + timedelta(0, 0, microseconds)


_SIZES: Final = tuple(0 if byte & 0x81 else 1 + byte // 2 for byte in range(256))
"""How many bytes a string has with its length, by the first byte; 0: a negative length, or one of several bytes."""

_DOUBLE = Struct("<d").unpack_from
_READING: Final[Mapping[str, AddReading]] = {
    "string": _add_string,
    "int": _add_integer,
    "long": _add_integer,
    "boolean": _add_boolean,
    "double": _add_double,
}
