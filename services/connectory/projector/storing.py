"""Storing what a batch of records changes, whatever row of it the store refuses."""

from collections.abc import Awaitable, Callable, Sequence
from itertools import chain
from typing import TypeAlias

from connectory.domain.errors import RowsRefused
from connectory.infra.log import Record
from connectory_projections.model import RowChange

Apply: TypeAlias = Callable[[Sequence[RowChange], int, int], Awaitable[None]]
"""Makes the changes and moves the offset, from the second argument to the third."""

Skip: TypeAlias = Callable[[Record, str], None]
"""Is told of a record that is passed over, and why."""


async def store_records(
    records: Sequence[Record],
    read: Sequence[Sequence[RowChange]],
    expected: int,
    next_offset: int,
    *,
    apply: Apply,
    skip: Skip,
) -> None:
    """Store what each of the records changes, which is in `read`, and move the offset from `expected` to `next_offset`.

    One refused row refuses its batch: it is found by halves, and its record passed over.
    """
    try:
        await apply(list(chain.from_iterable(read)), expected, next_offset)
    except RowsRefused as refusal:
        if len(records) == 1:
            skip(records[0], refusal.message)
            await apply((), expected, next_offset)
            return
        middle = len(records) // 2
        between = records[middle - 1].offset + 1
        await store_records(records[:middle], read[:middle], expected, between, apply=apply, skip=skip)
        await store_records(records[middle:], read[middle:], between, next_offset, apply=apply, skip=skip)
