"""A condition on documents as SQL on the rows they are made of. Values are always bound, never written."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeAlias, assert_never

from connectory_projections.event_documents.conditions import (
    All,
    AnyOf,
    Between,
    Condition,
    Entry,
    Everything,
    Exists,
    Like,
    Not,
    Nothing,
    OneOf,
    Phrase,
    Says,
    Value,
)
from connectory_projections.event_documents.fields import (
    CONNECTOR,
    FIELDS,
    FIRST_ENTRY,
    NESTED,
    RELATED_ENTRY,
    Field,
    Kind,
)
from connectory_projections.stored_text import to_stored

Sql: TypeAlias = str | bool
"""A condition; True or False where it is known without looking at a row."""

_GAP: Final = r"[\u0001-/:-@\[-^`{-\u007f]"
"""What stands between words, as `asking` tells words."""

_IN_WORD: Final = r"[^\u0001-/:-@\[-^`{-\u007f]*"
_MARK: Final = re.compile("\x00(\\d+)\x00")
_TYPES: Final[Mapping[type, str]] = {str: "text", Decimal: "numeric", datetime: "timestamptz"}


class Compiler:
    """Writes SQL with marks in the place of values; `statement` numbers those that have stayed in it."""

    def __init__(self, server_uuid: str) -> None:
        self.fields = {**FIELDS, "kibana.server_uuid": replace(FIELDS["kibana.server_uuid"], constant=server_uuid)}
        self._values: list[object] = []
        self._marks: dict[tuple[str, object], str] = {}

    def text(self, condition: Condition) -> str:
        return _written(self._compile(condition, self.fields))

    def bind(self, value: object, type_: str) -> str:
        """The mark for a value: one for all its uses."""
        mark = self._marks.get((type_, value))
        if mark is None:
            mark = self._marks[type_, value] = f"\x00{len(self._values)}\x00::{type_}"
            self._values.append(value)
        return mark

    def statement(self, text: str) -> tuple[str, tuple[object, ...]]:
        """The statement with numbered parameters, and their values."""
        used = list(dict.fromkeys(int(found) for found in _MARK.findall(text)))
        numbers = {place: number for number, place in enumerate(used, 1)}
        sql = _MARK.sub(lambda found: f"${numbers[int(found[1])]}", text)
        return sql, tuple(self._values[place] for place in used)

    def _compile(self, condition: Condition, fields: Mapping[str, Field]) -> Sql:
        match condition:
            case Everything():
                return True
            case Nothing():
                return False
            case Not(of):
                return _negated(self._compile(of, fields))
            case All(of):
                return _joined([self._compile(each, fields) for each in of], " AND ", ends=False)
            case AnyOf(of):
                return _joined([self._compile(each, fields) for each in of], " OR ", ends=True)
            case Entry(of):
                return self._entry(of) if fields is self.fields else False
            case OneOf() | Like() | Says() | Between() | Exists():
                field = fields.get(condition.field)
                return False if field is None else self._leaf(field, condition)
            case _:
                assert_never(condition)

    def _leaf(self, field: Field, leaf: OneOf | Like | Says | Between | Exists) -> Sql:
        if field.constant is not None:
            return _of_constant(field.constant, leaf)
        sql = self._on_column(field, leaf)
        return _joined([field.when, sql], " AND ", ends=False) if field.when and sql is not False else sql

    def _on_column(self, field: Field, leaf: OneOf | Like | Says | Between | Exists) -> Sql:
        match leaf:
            case Exists():
                return True if field.always else field.sql if field.kind is Kind.BOOLEAN else f"{field.sql} IS NOT NULL"
            case OneOf(values=values):
                return self._one_of(field, values)
            case Like(parts=parts):
                return f"{field.sql} LIKE {self.bind('%'.join(map(_like_text, parts)), 'text')}"
            case Says(phrases=phrases):
                return f"{field.sql} ~* {self.bind(_regex(phrases), 'text')}"
            case Between():
                return self._between(field, leaf)
            case _:
                assert_never(leaf)

    def _one_of(self, field: Field, values: Sequence[str]) -> Sql:
        if field.kind is Kind.BOOLEAN:  # there is no such field in a document where it is false
            return field.sql if "true" in values else False
        bound = [self.bind(to_stored(value), "text") for value in values]
        equal = f"{field.sql} = {bound[0]}" if len(bound) == 1 else f"{field.sql} IN ({', '.join(bound)})"
        return f"({equal} AND {field.rare})" if field.rare and field.common.isdisjoint(values) else equal

    def _between(self, field: Field, span: Between) -> Sql:
        low = self._bound(field, ">" if span.excludes_low else ">=", span.low)
        high = self._bound(field, "<" if span.excludes_high else "<=", span.high)
        return _joined([low, high], " AND ", ends=False)

    def _bound(self, field: Field, operator: str, value: Value | None) -> Sql:
        if value is None:
            return True
        if isinstance(value, str):
            return f'{field.sql} COLLATE "C" {operator} {self.bind(to_stored(value), "text")}'
        return f"{field.sql} {operator} {self.bind(value, _TYPES[type(value)])}"

    def _entry(self, condition: Condition) -> Sql:
        first = self._compile(condition, FIRST_ENTRY)
        wanted = _equalities(condition)
        if wanted.get("type") == CONNECTOR:
            return first  # no other entry is of this type
        inner = self._compile(condition, RELATED_ENTRY)
        if inner is False:
            return first
        return _joined([first, self._related(wanted, _written(inner))], " OR ", ends=True)

    def _related(self, wanted: Mapping[str, str], inner: str) -> str:
        """What is wanted to be equal is asked for once more in the words of the index."""
        entry = json.dumps([{name: to_stored(value) for name, value in wanted.items()}], separators=(",", ":"))
        contained = f" AND (details -> 'related') @> {self.bind(entry, 'jsonb')}" if wanted else ""
        entries = "jsonb_array_elements(details -> 'related') AS entry"
        return f"(details IS NOT NULL{contained} AND EXISTS (SELECT 1 FROM {entries} WHERE {inner}))"


def _equalities(condition: Condition) -> dict[str, str]:
    """What an entry must be equal in, by the names of its own keys."""
    found: dict[str, str] = {}
    for each in condition.of if isinstance(condition, All) else (condition,):
        match each:
            case OneOf(field, (value,)) if (name := field.removeprefix(f"{NESTED}.")) not in ("rel", "space_agnostic"):
                found[name] = value
            case _:
                pass
    return found


def _of_constant(value: str, leaf: OneOf | Like | Says | Between | Exists) -> bool:
    match leaf:
        case Exists():
            return True
        case OneOf(values=values):
            return value in values
        case Like(parts=(first, *others)):
            return _is_like(value, first, others)
        case Between(low=low, high=high) if isinstance(low, str | None) and isinstance(high, str | None):
            above = low is None or value > low or (value == low and not leaf.excludes_low)
            return above and (high is None or value < high or (value == high and not leaf.excludes_high))
        case _:
            return False


def _is_like(value: str, first: str, others: Sequence[str]) -> bool:
    if not others:
        return value == first
    place = len(first)
    for part in others[:-1]:
        found = value.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return value.startswith(first) and value.endswith(others[-1]) and len(value) - len(others[-1]) >= place


def _joined(parts: Sequence[Sql], word: str, *, ends: bool) -> Sql:
    """`ends` is the one that decides the whole: True for OR, False for AND."""
    if any(part is ends for part in parts):
        return ends
    texts = [part for part in parts if isinstance(part, str)]
    return not ends if not texts else texts[0] if len(texts) == 1 else f"({word.join(texts)})"


def _negated(sql: Sql) -> Sql:
    """A field that is not there does not meet a condition, so its document meets the contrary."""
    return not sql if isinstance(sql, bool) else f"({sql}) IS NOT TRUE"


def _written(sql: Sql) -> str:
    return sql if isinstance(sql, str) else "true" if sql else "false"


def _like_text(part: str) -> str:
    return to_stored(part).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _regex(phrases: Sequence[Phrase]) -> str:
    """Words hold no character that means something in a regular expression."""
    wanted = "|".join(f"{_GAP}+".join(_IN_WORD.join(parts) for parts in phrase) for phrase in phrases)
    return to_stored(f"(?:^|{_GAP})(?:{wanted})(?:$|{_GAP})")
