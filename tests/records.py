"""Hypothesis strategies for every record on the log, derived from the dataclasses' own annotations."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from types import UnionType
from typing import Any, Union, get_args, get_origin

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from connectory.domain.json_types import Json, JsonObject

_JSON_LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON_VALUES: SearchStrategy[Any] = st.recursive(
    _JSON_LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
JSON_OBJECTS: SearchStrategy[Any] = st.dictionaries(st.text(), JSON_VALUES, max_size=3)

_BY_HINT: tuple[tuple[Any, SearchStrategy[Any]], ...] = (
    (JsonObject, JSON_OBJECTS),
    (Json, JSON_VALUES),
    (str, st.text(max_size=20)),
    (bool, st.booleans()),
    (int, st.integers(-(2**31), 2**31 - 1)),
    (float, st.floats(allow_nan=False)),
    (bytes, st.binary(max_size=20)),
    (datetime, st.datetimes(timezones=st.just(UTC))),
)


def records_of(type_: Any) -> SearchStrategy[Any]:
    """Instances of a dataclass with arbitrary values in all fields."""
    values = {field.name: _values_of(field.type) for field in fields(type_)}
    return st.builds(type_, **values)


def _values_of(hint: Any) -> SearchStrategy[Any]:
    for known, strategy in _BY_HINT:
        if hint == known:
            return strategy
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return st.one_of(*map(_values_of, arguments))
    if origin is tuple:
        return _tuples_of(arguments)
    if origin is Mapping:
        return st.dictionaries(*map(_values_of, arguments), max_size=3)
    return records_of(hint) if is_dataclass(hint) else st.from_type(hint)


def _tuples_of(arguments: tuple[Any, ...]) -> SearchStrategy[Any]:
    if arguments[-1] is Ellipsis:
        return st.lists(_values_of(arguments[0]), max_size=3).map(tuple)
    return st.tuples(*map(_values_of, arguments))
