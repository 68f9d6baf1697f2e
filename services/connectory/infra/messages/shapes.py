"""How a dataclass and an Avro record with the same field names turn into each other.

The work that depends on the class alone is done once, in `Shape`; for each record it is a dictionary made by one C
call, and a function call for each field that Avro cannot carry as it is.
"""

from collections.abc import Callable, Iterable
from dataclasses import fields
from operator import attrgetter
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

T = TypeVar("T")
Word = TypeVar("Word", bound=str)


class Conversion(NamedTuple):
    """`write` gives what the schema wants, `read` what the dataclass wants; None: the value stays as it is.

    `read` raises ValueError when the value in the record is not one that it may be. With `wraps_plain`, `write` only
    makes dictionaries of records that are plain.
    """

    write: Callable[[Any], Any] | None
    read: Callable[[Any], Any] | None
    wraps_plain: bool = False


class Converts(Protocol):
    """A conversion, or a shape: then the field is itself a record."""

    @property
    def write(self) -> Callable[[Any], Any] | None: ...

    @property
    def read(self) -> Callable[[Any], Any] | None: ...


class Shape(Generic[T]):
    """A dataclass, with the conversions of those of its fields that need one."""

    __slots__ = ("_names", "_reads", "_type", "_values", "_writes", "is_plain")

    def __init__(self, type_: type[T], **conversions: Converts) -> None:
        self._type: Callable[..., T] = type_
        self._names = _field_names(type_)
        self._values: Callable[[T], tuple[Any, ...]] = attrgetter(*self._names)
        self._writes = tuple((name, how.write) for name, how in conversions.items() if how.write is not None)
        self._reads = tuple((name, how.read) for name, how in conversions.items() if how.read is not None)
        self.is_plain = all(_leaves(how) for how in conversions.values())
        """Whether Avro carries every value as it is, those of inner records too."""

    def write(self, record: T) -> dict[str, Any]:
        """Raises ValueError when a value cannot be written."""
        datum = dict(zip(self._names, self._values(record), strict=True))
        for name, convert in self._writes:
            datum[name] = convert(datum[name])
        return datum

    def read(self, datum: dict[str, Any]) -> T:
        """Takes the datum over. Raises ValueError, naming the field."""
        for name, convert in self._reads:
            try:
                datum[name] = convert(datum[name])
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error
        return self._type(**datum)


def _leaves(how: Converts) -> bool:
    if isinstance(how, Shape):
        return how.is_plain
    return how.write is None or (isinstance(how, Conversion) and how.wraps_plain)


def optional(how: Converts) -> Conversion:
    """The same, with None standing for None."""
    return Conversion(_unless_none(how.write), _unless_none(how.read), wraps_plain=_leaves(how))


def one_of(words: Iterable[Word]) -> Conversion:
    """A string out of a closed set: the members of an enum, or plain strings."""
    known = {str(word): word for word in words}

    def read(text: str) -> Word:
        try:
            return known[text]
        except KeyError:
            raise ValueError(f"{text[:40]!r} is none of {', '.join(known)}") from None

    return Conversion(None, read)


def _unless_none(convert: Callable[[Any], Any] | None) -> Callable[[Any], Any] | None:
    return None if convert is None else lambda value: None if value is None else convert(value)


def _field_names(type_: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(type_))
