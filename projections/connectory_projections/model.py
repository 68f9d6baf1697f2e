"""What a projection is: the topic it reads, its tables, and how a record becomes row changes.

Row changes are values. The runner in the projector applies them to Postgres, the in-memory twin to dictionaries; a
projection itself touches neither.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

Row: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Table:
    """A table, its primary key and, for a partitioned one, the timestamp column whose UTC day chooses the partition.

    The columns and indexes themselves stand in the projection's SQL file.
    """

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    partitioned_by_day: str | None = None


@dataclass(frozen=True, slots=True)
class Put:
    """Insert the row, or replace the one with its key."""

    table: str
    row: Row


@dataclass(frozen=True, slots=True)
class Append:
    """Insert the row unless its key is there: for facts, which arrive more than once and never change."""

    table: str
    row: Row


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete the row with this key, if there is one."""

    table: str
    key: tuple[object, ...]


RowChange: TypeAlias = Put | Append | Remove

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Sourced(Generic[E]):
    """An event with the place on the log where it was read."""

    event: E
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection(Generic[E]):
    """A read model, named after the question that it answers.

    `apply` is pure and total over `handles`. `schema` is the text of the SQL that makes its tables (unqualified
    names: the runner sets the search path, so a rebuild can fill a second copy beside the live one).
    """

    name: str
    topic: str
    handles: tuple[type[E], ...]
    tables: tuple[Table, ...]
    schema: str
    apply: Callable[[Sourced[E]], Sequence[RowChange]]
