"""Free-form JSON (config, params, data) as it is carried inside records: compact JSON text.

Both directions keep the same limits, so that whatever was accepted for writing can be read again: finite numbers, and
at most `MAX_NESTING` levels of objects and lists.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any, Final, TypeAlias

from connectory.domain.json_types import Json, JsonObject

MAX_NESTING: Final = 100
"""Far below the interpreter's recursion limit, which depends on how deep the caller already is."""


MAX_WHOLE: Final = 2**53 - 1
"""The largest up to which a float is sure to be the whole number that was written."""

_Container: TypeAlias = Mapping[str, Json] | Sequence[Json]


def write_json(value: Json) -> str:
    """Raises ValueError for what JSON has no words for, and for too deep a nesting.

    Characters stand as they are, which takes a third of the room of escapes; a lone surrogate, which UTF-8 cannot hold,
    makes all of the text escapes.
    """
    try:
        text = _ENCODER.encode(value)
        if not _is_utf8(text):
            text = _ESCAPING_ENCODER.encode(value)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    _check_nesting(text, value)
    return text


def _is_utf8(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_json(text: str) -> Json:
    """Raises ValueError for anything but one JSON value within the limits."""
    try:
        value: Json = _DECODER.decode(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    _check_nesting(text, value)
    return value


def read_json_object(text: str) -> JsonObject:
    """As `read_json`, for a JSON object only."""
    match read_json(text):
        case dict() as value:
            return value
        case value:
            raise ValueError(f"expected a JSON object, got {_kind(value)}")


_TOO_DEEP: Final = f"JSON is nested deeper than {MAX_NESTING} levels"


def _check_nesting(text: str, value: Json) -> None:
    """Counting brackets in the text is cheap, and settles nearly every case."""
    if text.count("[") + text.count("{") > MAX_NESTING and _is_too_deep(value):
        raise ValueError(_TOO_DEEP)


def _is_too_deep(value: Json) -> bool:
    level = _containers([value])
    for _ in range(MAX_NESTING):
        level = [inner for container in level for inner in _containers(_children(container))]
        if not level:
            return False
    return True


def _containers(values: Iterable[Json]) -> list[_Container]:
    return [value for value in values if isinstance(value, (Mapping, Sequence)) and not isinstance(value, str)]


def _children(container: _Container) -> Iterable[Json]:
    return container.values() if isinstance(container, Mapping) else container


def _number(text: str) -> float | int:
    """JSON knows one kind of numbers: `1.0` and `1` are the same, and a port like any other."""
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"the number {text[:40]} is too large")
    return int(number) if number.is_integer() and abs(number) <= MAX_WHOLE else number


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _plain(value: object) -> dict[Any, Any] | list[Any]:
    """Mappings and sequences that are not dict, list or tuple."""
    match value:
        case Mapping():
            return dict(value)
        case Sequence():
            return list(value)
        case _:
            raise TypeError(f"{type(value).__name__} has no form in JSON")


def _kind(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case _:
            return "a list"


_DECODER = json.JSONDecoder(parse_float=_number, parse_constant=_no_constant)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain)
_ESCAPING_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=_plain)
