"""What a projection is: the topic it reads, its tables, how a record becomes row changes, and queries on the tables.

Row changes and queries are values. The runner in the projector applies changes to Postgres, the in-memory twin to
dictionaries; `Database` runs the queries. A projection itself touches neither.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

Row: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Table:
    """A table, its primary key and, for a partitioned one, the timestamp column whose UTC day chooses the partition.

    A table partitioned by day holds facts: rows are appended, never changed, and expire with their day. Rows of another
    table expire with the day of the timestamp `expires_by`, if it names one. The columns' types and the indexes stand
    in the projection's migrations.
    """

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    partitioned_by_day: str | None = None
    expires_by: str | None = None

    @property
    def expiry(self) -> str | None:
        """The timestamp by which rows expire; None: they stay."""
        return self.partitioned_by_day or self.expires_by

    def key_of(self, row: Row) -> tuple[object, ...]:
        return tuple(row[column] for column in self.key)


@dataclass(frozen=True, slots=True)
class Put:
    """Insert the row, or replace the one with its key: all of it but the columns in `keep`, which stay as they are."""

    table: str
    row: Row
    keep: tuple[str, ...] = ()


class Append(NamedTuple):
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
T = TypeVar("T")


class Sourced(NamedTuple, Generic[E]):
    """An event with the place on the log where it was read."""

    event: E
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Migration:
    """One forward-only step of a scope's tables. `checksum` tells whether a step was edited after it was released."""

    scope: str
    number: int
    name: str
    sql: str
    checksum: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection(Generic[E]):
    """A read model, named after the question that it answers.

    `apply` is pure and total over `handles`. With `takes_fields` it gets a record's fields by name, as the log has
    them, in place of the dataclass: enough for a table whose rows are the records, and less work. `migrations` make
    its tables, by unqualified names: the search path decides where, so that a rebuild can make a second copy beside
    the live one. `forget` is for the records without a value of a compacted topic, and gets their keys.
    """

    name: str
    topic: str
    handles: tuple[type, ...]
    tables: tuple[Table, ...]
    migrations: tuple[Migration, ...]
    apply: Callable[[Sourced[E]], Sequence[RowChange]]
    takes_fields: bool = False
    forget: Callable[[bytes], Sequence[RowChange]] | None = None

    @property
    def expires(self) -> bool:
        """Whether all rows expire by their time as records do, so that one whose record has left the log is still
        true until it does.
        """
        return all(table.expiry is not None for table in self.tables)


AnyProjection: TypeAlias = Projection[Any]


@dataclass(frozen=True, slots=True)
class Query(Generic[T]):
    """A statement with its bound arguments, and how one of its rows is read."""

    sql: str
    args: tuple[object, ...]
    read: Callable[[Mapping[str, Any]], T]
