"""Conditions on documents, whatever language they were written in. Fields are named as documents name them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeAlias

Parts: TypeAlias = tuple[str, ...]
"""Text with wildcards: what stands between them, so one part is text without any."""

Phrase: TypeAlias = tuple[Parts, ...]
"""Words that follow one another, each with its wildcards."""

Value: TypeAlias = str | Decimal | datetime


@dataclass(frozen=True, slots=True)
class Everything:
    """Met by every document."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """Met by none."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """The field, which is not made of words, has one of these values."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Like:
    """The whole of the field, which is not made of words, is this text with anything in place of its wildcards."""

    field: str
    parts: Parts


@dataclass(frozen=True, slots=True)
class Says:
    """The text has one of these phrases, whatever the case of its letters and whatever stands between its words."""

    field: str
    phrases: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """From `low` to `high`, each as far as it is given; they belong to it unless they are said to be excluded."""

    field: str
    low: Value | None = None
    high: Value | None = None
    excludes_low: bool = False
    excludes_high: bool = False


@dataclass(frozen=True, slots=True)
class Exists:
    """The document has the field."""

    field: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One and the same entry of `kibana.saved_objects` meets all of it; fields have their full names."""

    of: "Condition"


@dataclass(frozen=True, slots=True)
class Not:
    of: "Condition"


@dataclass(frozen=True, slots=True)
class All:
    of: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    of: tuple["Condition", ...]


Leaf: TypeAlias = Everything | Nothing | OneOf | Like | Says | Between | Exists
Condition: TypeAlias = Leaf | Entry | Not | All | AnyOf

EVERYTHING: Final = Everything()
NOTHING: Final = Nothing()


def all_of(conditions: Iterable[Condition]) -> Condition:
    """Met by what meets each; by everything, when there are none."""
    wanted = tuple(each for each in conditions if each != EVERYTHING)
    if NOTHING in wanted:
        return NOTHING
    return EVERYTHING if not wanted else wanted[0] if len(wanted) == 1 else All(wanted)


def any_of(conditions: Iterable[Condition]) -> Condition:
    """Met by what meets one of them; by nothing, when there are none."""
    wanted = tuple(each for each in conditions if each != NOTHING)
    if EVERYTHING in wanted:
        return EVERYTHING
    return NOTHING if not wanted else wanted[0] if len(wanted) == 1 else AnyOf(wanted)


def negation(of: Condition) -> Condition:
    match of:
        case Not(inner):
            return inner
        case Everything():
            return NOTHING
        case Nothing():
            return EVERYTHING
        case _:
            return Not(of)


def clauses(condition: Condition) -> int:
    """How many conditions on single fields it has."""
    match condition:
        case All(of) | AnyOf(of):
            return sum(map(clauses, of))
        case Not(inner) | Entry(inner):
            return clauses(inner)
        case _:
            return 1
