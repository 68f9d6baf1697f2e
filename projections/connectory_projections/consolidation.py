"""Folds the row changes of a batch into at most one change for each key, so that a batch is few statements."""

from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

from connectory_projections.model import Append, Put, Remove, RowChange, Table


def consolidate(tables: Sequence[Table], changes: Iterable[RowChange]) -> list[RowChange]:
    """Return changes of distinct keys, in any order, with the effect that `changes` have one after the other."""
    by_name = {table.name: table for table in tables}
    latest: dict[tuple[str, tuple[object, ...]], RowChange] = {}
    for change in changes:
        key = change.table, _key(by_name, change)
        earlier = latest.get(key)
        latest[key] = change if earlier is None else _combined(earlier, change)
    return list(latest.values())


def _key(tables: Mapping[str, Table], change: RowChange) -> tuple[object, ...]:
    return change.key if isinstance(change, Remove) else tables[change.table].key_of(change.row)


def _combined(earlier: RowChange, later: RowChange) -> RowChange:
    match later:
        case Remove():
            return later
        case Append():
            return Put(later.table, later.row) if isinstance(earlier, Remove) else earlier
        case Put():
            return Put(later.table, later.row) if isinstance(earlier, Remove) else _put_over(earlier, later)
        case _:
            assert_never(later)


def _put_over(earlier: Put | Append, later: Put) -> Put:
    """Kept columns come from the stored row if the earlier change kept them too, else from the earlier change."""
    row = {**later.row, **{column: earlier.row[column] for column in later.keep}}
    kept = later.keep if isinstance(earlier, Append) else tuple(c for c in later.keep if c in earlier.keep)
    return Put(later.table, row, kept)
