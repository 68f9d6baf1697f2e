"""The tables of projections as dictionaries: the twin of `PostgresRowStore`, for tests and simulations."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import assert_never

from connectory.domain.errors import Fenced
from connectory.infra.clock import Clock, utc_now
from connectory.infra.progress import Progress
from connectory_projections.model import AnyProjection, Append, Put, Remove, Row, RowChange, Table

_NEVER = datetime(9999, 12, 31, tzinfo=UTC)


class InMemoryRowStore:
    """Rows by table and key, and the offset of each projection and partition. Nothing survives the object."""

    def __init__(self, *, retention: timedelta = timedelta(days=90), now: Clock = utc_now) -> None:
        self._retention = retention
        self._now = now
        self.tables: defaultdict[str, dict[tuple[object, ...], Row]] = defaultdict(dict)
        self.progress = Progress()
        self._offsets: dict[tuple[str, int], int] = {}

    def rows(self, table: str) -> list[Row]:
        return list(self.tables[table].values())

    async def next_offset(self, projection: AnyProjection, partition: int) -> int:
        return self._offsets.get((projection.name, partition), 0)

    async def apply(
        self,
        projection: AnyProjection,
        partition: int,
        changes: Sequence[RowChange],
        *,
        expected: int,
        next_offset: int,
    ) -> None:
        place = projection.name, partition
        if self._offsets.get(place, 0) != expected:
            raise Fenced(f"Partition {partition} of projection {projection.name} is no longer at offset {expected}")
        by_name = {table.name: table for table in projection.tables}
        for change in changes:
            _make(change, by_name[change.table], self.tables[change.table])
        self._offsets[place] = next_offset
        self.progress.reached(projection.name, partition, next_offset)

    async def drop_expired(self, projection: AnyProjection) -> list[str]:
        """Drop the days that have expired; returns their names as Postgres names the partitions."""
        before = self._now() - self._retention
        return [name for table in projection.tables for name in self._drop_expired(table, before)]

    def _drop_expired(self, table: Table, before: datetime) -> Iterable[str]:
        rows = self.tables[table.name]
        expired = {key: row for key, row in rows.items() if _day_end(table, row) <= before}
        self.tables[table.name] = {key: row for key, row in rows.items() if key not in expired}
        return sorted({f"{table.name}_{_day_end(table, row) - timedelta(days=1):%Y%m%d}" for row in expired.values()})


def _make(change: RowChange, table: Table, rows: dict[tuple[object, ...], Row]) -> None:
    match change:
        case Remove():
            rows.pop(change.key, None)
        case Append():
            rows.setdefault(table.key_of(change.row), change.row)
        case Put():
            key = table.key_of(change.row)
            rows[key] = {**change.row, **_kept(change, rows.get(key))}
        case _:
            assert_never(change)


def _kept(change: Put, stored: Row | None) -> Mapping[str, object]:
    return {} if stored is None else {column: stored[column] for column in change.keep}


def _day_end(table: Table, row: Row) -> datetime:
    """The end of the row's day; as late as can be, for a row that does not expire."""
    moment = row[table.expiry] if table.expiry else None
    if not isinstance(moment, datetime) or moment >= _NEVER:
        return _NEVER
    return datetime.combine(moment.astimezone(UTC).date(), time.min, UTC) + timedelta(days=1)
