"""What the projector asks of the outside, besides the log."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from connectory_projections.model import AnyProjection, RowChange

T = TypeVar("T")


class Decoder(Protocol):
    def decode(self, value: bytes | None, *expected: type[T]) -> T:
        """Return the record in a message's value. Raises `Undecodable` when it is none of the expected types."""
        ...

    def fields_reader(self, *expected: type) -> Callable[[bytes | None], Mapping[str, Any]]:
        """Return what gives a record's fields by name. That raises `Undecodable`."""
        ...


class RowStore(Protocol):
    """The tables of the projections. Postgres and an in-memory twin stand behind it, held to one contract suite."""

    async def next_offset(self, projection: AnyProjection, partition: int) -> int:
        """The offset of the first record that the projection has not applied."""
        ...

    async def apply(
        self,
        projection: AnyProjection,
        partition: int,
        changes: Sequence[RowChange],
        *,
        expected: int,
        next_offset: int,
    ) -> None:
        """Make the changes, in their order, and move the offset from `expected` to `next_offset`: all or nothing.

        Raises `Fenced` when the offset is not `expected`, `Unavailable` when the store is away, and `RowsRefused`
        when it will never take these rows.
        """
        ...

    async def drop_expired(self, projection: AnyProjection) -> list[str]:
        """Drop the days that have expired; returns the names of the partitions."""
        ...
