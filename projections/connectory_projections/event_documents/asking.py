"""From what a query says about a field to a condition: here is what a value means for each kind of field.

Values come as text, as they were written. What cannot be met, an unknown field or a word for a number, is met by
nothing; it is no error.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal, TypeAlias

from connectory_projections.event_documents.conditions import (
    NOTHING,
    Between,
    Condition,
    Exists,
    Like,
    OneOf,
    Parts,
    Phrase,
    Says,
    Value,
    any_of,
)
from connectory_projections.event_documents.dates import read_date
from connectory_projections.event_documents.fields import FIELDS, FIRST_ENTRY, Field, Kind

Comparison: TypeAlias = Literal["gt", "gte", "lt", "lte"]

_WORD: Final = re.compile(r"[^\x00-/:-@\[-^`{-\x7f]+")
"""A word: letters, digits and underscores, and all that is not ASCII."""

_WILDCARD: Final = "\ue000"
"""Stands for a wildcard while text is split into words: a character that no text has, and part of a word."""

_LATEST: Final = datetime(9999, 12, 31, tzinfo=UTC)
_NUMBER: Final = re.compile(r"-?(\d{1,18}(\.\d{0,9})?|\.\d{1,9})")
_ALL: Final = {**FIELDS, **FIRST_ENTRY}


def equals(name: Parts, text: str, now: datetime, *, as_phrase: bool = False) -> Condition:
    """The field is this value; of a text, it has one of the words, or with `as_phrase` all of them in a row.

    Of a name with wildcards, one of the fields is it.
    """
    return any_of(_equals(field, text, now, as_phrase=as_phrase) for field in _named(name))


def like(name: Parts, parts: Parts) -> Condition:
    """The field is this text with wildcards; of a text, one of its words is one of these."""
    return any_of(_like(field, parts) for field in _named(name))


def exists(name: Parts) -> Condition:
    return any_of(Exists(field.name) for field in _named(name, everywhere=True))


def compares(name: Parts, comparison: Comparison, text: str, now: datetime) -> Condition:
    """The field is greater or less than this value."""
    return any_of(_compares(field, comparison, text, now) for field in _named(name, everywhere=True))


def phrase_of(text: str) -> Phrase:
    return tuple((word.lower(),) for word in _WORD.findall(text))


def _named(name: Parts, *, everywhere: bool = False) -> Iterator[Field]:
    """The fields of that name. One that stands for all of them leaves out what words are not looked for in."""
    if len(name) == 1:
        yield from (field for field in (_ALL.get(name[0]),) if field is not None)
        return
    pattern = re.compile(".*".join(map(re.escape, name)))
    is_anywhere = not everywhere and not any(name)
    for field in FIELDS.values():
        if pattern.fullmatch(field.name) and not (is_anywhere and field.kind is Kind.DATE):
            yield field


def _equals(field: Field, text: str, now: datetime, *, as_phrase: bool) -> Condition:
    match field.kind:
        case Kind.KEYWORD:
            return OneOf(field.name, (text,))
        case Kind.BOOLEAN:
            return OneOf(field.name, (text,)) if text in ("true", "false") else NOTHING
        case Kind.NUMBER:
            number = _number(text)
            return NOTHING if number is None else Between(field.name, number, number)
        case Kind.DATE:
            span = read_date(text, now)
            return NOTHING if span is None else _span(field, span.start, span.end)
        case Kind.TEXT:
            words = phrase_of(text)
            phrases = (words,) if as_phrase else tuple(filter(None, map(phrase_of, text.split())))
            return Says(field.name, phrases) if words else NOTHING


def _like(field: Field, parts: Parts) -> Condition:
    if not any(parts):
        return Exists(field.name)
    match field.kind:
        case Kind.KEYWORD:
            return Like(field.name, parts)
        case Kind.TEXT:
            return _says_like(field, parts)
        case _:
            return NOTHING


def _says_like(field: Field, parts: Parts) -> Condition:
    words = _WILDCARD.join(parts).lower().split()
    if any(not word.strip(_WILDCARD) for word in words):
        return Exists(field.name)
    phrases = tuple(filter(None, map(_phrase_like, words)))
    return Says(field.name, phrases) if phrases else NOTHING


def _phrase_like(text: str) -> Phrase:
    return tuple(tuple(word.split(_WILDCARD)) for word in _WORD.findall(text))


def _compares(field: Field, comparison: Comparison, text: str, now: datetime) -> Condition:
    match field.kind:
        case Kind.KEYWORD:
            return _bounded(field, comparison, text)
        case Kind.NUMBER:
            number = _number(text)
            return NOTHING if number is None else _bounded(field, comparison, number)
        case Kind.DATE:
            return _compares_date(field, comparison, text, now)
        case _:
            return NOTHING


def _compares_date(field: Field, comparison: Comparison, text: str, now: datetime) -> Condition:
    """A date that is a span, such as a day, is greater than another when all of it is."""
    span = read_date(text, now)
    if span is None:
        return NOTHING
    match comparison:
        case "gt":
            return _span(field, span.end, None)
        case "gte":
            return _span(field, span.start, None)
        case "lt":
            return _span(field, None, span.start)
        case "lte":
            return _span(field, None, span.end)


def _bounded(field: Field, comparison: Comparison, value: Value) -> Condition:
    if comparison in ("gt", "gte"):
        return Between(field.name, low=value, excludes_low=comparison == "gt")
    return Between(field.name, high=value, excludes_high=comparison == "lt")


def _span(field: Field, start: datetime | None, end: datetime | None) -> Condition:
    return Between(field.name, start, end, excludes_high=True)


def within(start: datetime, end: datetime) -> Condition:
    """Written in that time, both ends included, as documents tell time: in whole milliseconds."""
    last = _floor(min(end, _LATEST))
    return Between("@timestamp", _floor(start), last + timedelta(milliseconds=1), excludes_high=True)


def _floor(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _number(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.fullmatch(text) else None
