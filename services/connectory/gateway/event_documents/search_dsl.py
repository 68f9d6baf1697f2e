"""Elasticsearch's query language, as far as searches in the event log use it: JSON becomes a condition and an order.

What is not supported is refused, never passed over: an answer to another question would be worse than none.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from connectory.domain.json_types import Json
from connectory.gateway.errors import Rejected
from connectory_projections.event_documents import Order, asking
from connectory_projections.event_documents.conditions import (
    EVERYTHING,
    NOTHING,
    Condition,
    Entry,
    Says,
    all_of,
    any_of,
    clauses,
    negation,
)
from connectory_projections.event_documents.fields import FIELDS, NESTED, Kind

DEEPEST: Final = 20
"""Queries within one another."""

MOST_CLAUSES: Final = 1024

_COMPARISONS: Final[dict[str, asking.Comparison]] = {"gt": "gt", "gte": "gte", "lt": "lt", "lte": "lte"}
_WITHOUT_EFFECT: Final = frozenset({"boost", "_name"})
_ORDERS: Final = {"asc": False, "desc": True}
_UNSORTED: Final = frozenset({"_score", "_doc"})

Options: TypeAlias = Mapping[str, Json]


def read_query(query: Json, now: datetime) -> Condition:
    """What a query asks for. Raises `Rejected` (400)."""
    condition = _Reading(now).query(query, 1)
    if clauses(condition) > MOST_CLAUSES:
        raise Rejected.bad_request(f"[query] has more than {MOST_CLAUSES} clauses")
    return condition


def read_sort(sort: Json) -> tuple[Order, ...]:
    """The order that is asked for; empty: none. Raises `Rejected` (400)."""
    listed = sort if isinstance(sort, list) else [] if sort is None else [sort]
    found = [order for each in listed for order in _orders(each)]
    return tuple(found)


class _Reading:
    def __init__(self, now: datetime) -> None:
        self._now = now
        self._kinds: Mapping[str, Callable[[Json, int], Condition]] = {
            "match_all": lambda _options, _depth: EVERYTHING,
            "match_none": lambda _options, _depth: NOTHING,
            "term": self._term,
            "terms": self._terms,
            "match": self._match,
            "match_phrase": self._match_phrase,
            "exists": self._exists,
            "range": self._range,
            "bool": self._bool,
            "nested": self._nested,
        }

    def query(self, query: Json, depth: int) -> Condition:
        name, options = _only_entry(query, "query")
        read = self._kinds.get(name)
        if read is None:
            raise Rejected.bad_request(f"unknown query [{name}]: supported are {', '.join(self._kinds)}")
        if depth > DEEPEST:
            raise Rejected.bad_request(f"[{name}] has more than {DEEPEST} queries around it")
        return read(options, depth)

    def _term(self, options: Json, _depth: int) -> Condition:
        field, value = _of_field("term", options, "value", ())
        return asking.equals((field,), _text("term", value), self._now, as_phrase=True)

    def _terms(self, options: Json, _depth: int) -> Condition:
        field, values = _only_entry(_without_effects(options), "terms")
        if not isinstance(values, list):
            raise Rejected.bad_request("[terms] query needs a list of values")
        return any_of(asking.equals((field,), _text("terms", each), self._now, as_phrase=True) for each in values)

    def _match(self, options: Json, _depth: int) -> Condition:
        field, value = _of_field("match", options, "query", ("operator",))
        found = asking.equals((field,), _text("match", value), self._now)
        if isinstance(found, Says) and _operator(options, field) == "and":
            return all_of(Says(found.field, (phrase,)) for phrase in found.phrases)
        return found

    def _match_phrase(self, options: Json, _depth: int) -> Condition:
        field, value = _of_field("match_phrase", options, "query", ())
        return asking.equals((field,), _text("match_phrase", value), self._now, as_phrase=True)

    def _exists(self, options: Json, _depth: int) -> Condition:
        match _without_effects(options):
            case {"field": str(field), **others} if not others:
                return asking.exists((field,))
            case _:
                raise Rejected.bad_request("[exists] query needs a [field] and nothing else")

    def _range(self, options: Json, _depth: int) -> Condition:
        field, bounds = _only_entry(_without_effects(options), "range")
        found = []
        for name, value in _object("range", bounds).items():
            if name in _COMPARISONS and value is not None:
                found.append(asking.compares((field,), _COMPARISONS[name], _text("range", value), self._now))
            elif name not in _COMPARISONS and name not in _WITHOUT_EFFECT and name != "format":
                raise _unsupported("range", name)
        return all_of(found) if found else asking.exists((field,))

    def _bool(self, options: Json, depth: int) -> Condition:
        parts = _object("bool", options)
        for name in parts:
            if name not in ("filter", "must", "must_not", "should", "minimum_should_match", *_WITHOUT_EFFECT):
                raise _unsupported("bool", name)
        asked = [*self._queries(parts, "must", depth), *self._queries(parts, "filter", depth)]
        refused = [negation(each) for each in self._queries(parts, "must_not", depth)]
        should = self._should(parts, self._queries(parts, "should", depth), is_optional=bool(asked))
        return all_of([*asked, *refused, should])

    def _queries(self, parts: Options, name: str, depth: int) -> Sequence[Condition]:
        given = parts.get(name, [])
        return [self.query(each, depth + 1) for each in (given if isinstance(given, list) else [given])]

    def _should(self, parts: Options, found: Sequence[Condition], *, is_optional: bool) -> Condition:
        wanted = parts.get("minimum_should_match", 0 if is_optional else 1)
        wanted = int(wanted) if isinstance(wanted, str) and wanted.isdecimal() else wanted
        if not found or wanted == 0:
            return EVERYTHING
        if wanted == 1:
            return any_of(found)
        if wanted == len(found):
            return all_of(found)
        raise Rejected.bad_request("[bool] query supports a [minimum_should_match] of 0, 1 or all only")

    def _nested(self, options: Json, depth: int) -> Condition:
        match options:
            case {"path": str(path), "query": query, **others} if set(others) <= {"score_mode", "ignore_unmapped"}:
                if path != NESTED:
                    raise Rejected.bad_request(f"[nested] failed to find nested object under path [{path}]")
                return Entry(self.query(query, depth + 1))
            case _:
                raise Rejected.bad_request("[nested] query needs a [path] and a [query], and supports nothing else")


def _only_entry(value: Json, place: str) -> tuple[str, Json]:
    match value:
        case dict() if len(value) == 1:
            return next(iter(value.items()))
        case _:
            raise Rejected.bad_request(f"[{place}] must be an object with exactly one key")


def _of_field(query: str, options: Json, key: str, allowed: Sequence[str]) -> tuple[str, Json]:
    """The name of the field and the value: `{field: value}` or `{field: {key: value}}`."""
    field, value = _only_entry(_without_effects(options), query)
    if not isinstance(value, dict):
        return field, value
    for name in value:
        if name not in (key, *allowed, *_WITHOUT_EFFECT):
            raise _unsupported(query, name)
    return field, value.get(key)


def _operator(options: Json, field: str) -> str:
    match options:
        case {**fields} if isinstance(given := fields.get(field), dict):
            return str(given.get("operator", "or")).lower()
        case _:
            return "or"


def _without_effects(options: Json) -> Json:
    if not isinstance(options, dict):
        return options
    return {name: value for name, value in options.items() if name not in _WITHOUT_EFFECT}


def _object(query: str, value: Json) -> Options:
    if not isinstance(value, dict):
        raise Rejected.bad_request(f"[{query}] query malformed, an object is needed")
    return value


def _text(query: str, value: Json) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return str(value)
        case _:
            raise Rejected.bad_request(f"[{query}] query needs a value that is text, a number or a boolean")


def _unsupported(query: str, name: str) -> Rejected:
    return Rejected.bad_request(f"[{query}] query does not support [{name}]")


def _orders(each: Json) -> Sequence[Order]:
    match each:
        case str(field):
            return _order(field, {})
        case dict():
            return [
                order
                for field, how in each.items()
                for order in _order(field, {"order": how} if isinstance(how, str) else _object("sort", how))
            ]
        case _:
            raise Rejected.bad_request("[sort] must be a field, an object, or a list of these")


def _order(name: str, options: Options) -> Sequence[Order]:
    for option in options:
        if option not in ("order", "missing", "unmapped_type"):
            raise _unsupported("sort", option)
    direction = options.get("order", "asc")
    if not isinstance(direction, str) or direction not in _ORDERS or options.get("missing", "_last") != "_last":
        raise Rejected.bad_request(f"[sort] of [{name}] must be [asc] or [desc], with missing values [_last]")
    field = FIELDS.get(name)
    if name in _UNSORTED or (field is None and "unmapped_type" in options):
        return []
    if field is None:
        raise Rejected.bad_request(f"No mapping found for [{name}] in order to sort on")
    if field.kind is Kind.TEXT:
        raise Rejected.bad_request(f"[{name}] is text, which cannot be sorted by")
    return [Order(name, descending=_ORDERS[direction])]
