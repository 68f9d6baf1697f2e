"""Applies a batch of row changes and the offset behind it in one transaction.

The statements are made from the tables' column lists, which come from the code; values are always bound.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cache
from itertools import groupby
from operator import itemgetter

import asyncpg

from connectory.domain.errors import Fenced
from connectory.infra.clock import Clock, utc_now
from connectory.infra.postgres.database import Connection, Database
from connectory.infra.postgres.day_partitions import DayPartitions, delete_expired_rows, drop_expired_days
from connectory_projections.consolidation import consolidate
from connectory_projections.model import AnyProjection, Append, Put, Remove, Row, RowChange, Table

PROGRESS_CHANNEL = "connectory_progress"

COPY_FROM = 32
"""Rows from which `COPY` is faster than statements sent in one go."""

_START = """
INSERT INTO projection_offsets (projection, topic, partition, next_offset) VALUES ($1, $2, $3, 0)
ON CONFLICT (projection, topic, partition) DO UPDATE SET next_offset = projection_offsets.next_offset
RETURNING next_offset
"""

# Losing the last commits in a crash of the database loses no fact: rows and offset are lost together, and the log has
# them. So the many rows of what happened do not wait for the disk. What clients change and read back does: they would
# see what was before their change once more.
_ADVANCE = """
UPDATE projection_offsets SET next_offset = $5
WHERE projection = $1 AND topic = $2 AND partition = $3 AND next_offset = $4
RETURNING set_config('synchronous_commit', $6, true)
"""

_NOTIFY = f"SELECT pg_notify('{PROGRESS_CHANNEL}', $1)"


class PostgresRowStore:
    """The tables of projections in one Postgres schema. `announces` tells whoever waits for progress of them.

    A day expires when it ended longer ago than `retention`.
    """

    def __init__(
        self, database: Database, *, retention: timedelta, now: Clock = utc_now, announces: bool = True
    ) -> None:
        self._database = database
        self._days = DayPartitions(database, now, retention)
        self._retention = retention
        self._now = now
        self._announces = announces

    async def next_offset(self, projection: AnyProjection, partition: int) -> int:
        """The offset of the first record that the projection has not applied."""
        self._days.forget()
        async with self._database.connection() as connection:
            return int(await connection.fetchval(_START, projection.name, projection.topic, partition))

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

        Raises `Fenced` when the offset is not `expected`, `Unavailable`, or `RowsRefused` when the database will
        never take these rows.
        """
        batches = _batches(projection.tables, changes)
        for table, batch in batches:
            await self._days.ensure(table, (change.row for change in batch if not isinstance(change, Remove)))
        async with self._database.transaction() as connection:
            await self._advance(connection, projection, partition, expected, next_offset)
            for table, batch in batches:
                await _write(connection, table, batch)

    async def drop_expired(self, projection: AnyProjection) -> list[str]:
        """Drop the days that have expired; returns the names of the partitions."""
        before = self._now() - self._retention
        tables = [table for table in projection.tables if table.partitioned_by_day]
        for table in projection.tables:
            if table.expires_by:
                await delete_expired_rows(self._database, table, before)
        return [name for table in tables for name in await drop_expired_days(self._database, table, before)]

    async def _advance(
        self, connection: Connection, projection: AnyProjection, partition: int, expected: int, next_offset: int
    ) -> None:
        place = (projection.name, projection.topic, partition)
        durability = "off" if projection.expires else "on"
        if await connection.fetchrow(_ADVANCE, *place, expected, next_offset, durability) is None:
            raise Fenced(f"Partition {partition} of projection {projection.name} is no longer at offset {expected}")
        if self._announces:
            await connection.execute(_NOTIFY, ":".join(map(str, (*place, next_offset))))


def _batches(tables: Sequence[Table], changes: Sequence[RowChange]) -> list[tuple[Table, Sequence[RowChange]]]:
    """Changes of distinct keys by table. Facts never change: that one comes twice is seen when it is stored."""
    merged = changes if all(table.partitioned_by_day for table in tables) else consolidate(tables, changes)
    if len(tables) == 1:
        return [(tables[0], merged)] if merged else []
    batches = [(table, [change for change in merged if change.table == table.name]) for table in tables]
    return [(table, batch) for table, batch in batches if batch]


async def _write(connection: Connection, table: Table, changes: Sequence[RowChange]) -> None:
    """The changes have distinct keys, so their order does not matter."""
    appended = [change.row for change in changes if isinstance(change, Append)]
    if appended:
        await _append(connection, table, appended)
    if len(appended) == len(changes):  # as with all facts, of which there are many
        return
    removed = [change.key for change in changes if isinstance(change, Remove)]
    if removed:
        await connection.executemany(_delete(table), removed)
    puts = sorted((change for change in changes if isinstance(change, Put)), key=_kept)
    for keep, group in groupby(puts, key=_kept):
        await _upsert(connection, table, [put.row for put in group], _on_conflict(table, keep))


async def _append(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Facts seldom come twice, so they are copied straight into the table; only a batch with a duplicate goes through
    a staging table.
    """
    if len(rows) >= COPY_FROM:
        try:
            async with connection.transaction():
                await _copy(connection, table, table.name, rows)
        except asyncpg.UniqueViolationError:
            pass
        else:
            return
    await _upsert(connection, table, rows, "DO NOTHING")


async def _upsert(connection: Connection, table: Table, rows: Sequence[Row], on_conflict: str) -> None:
    if len(rows) < COPY_FROM:
        await connection.executemany(_insert(table, on_conflict), _tuples(table, rows))
        return
    staging = f"staging_{table.name}"
    await connection.execute(f"CREATE TEMPORARY TABLE {staging} (LIKE {table.name}) ON COMMIT DROP")
    await _copy(connection, table, staging, rows)
    columns = ", ".join(table.columns)
    conflict = f"ON CONFLICT ({', '.join(table.key)}) {on_conflict}"
    await connection.execute(f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM {staging} {conflict}")
    await connection.execute(f"DROP TABLE {staging}")


async def _copy(connection: Connection, table: Table, into: str, rows: Sequence[Row]) -> None:
    await connection.copy_records_to_table(into, records=_tuples(table, rows), columns=table.columns)


def _kept(put: Put) -> tuple[str, ...]:
    return put.keep


def _tuples(table: Table, rows: Iterable[Row]) -> Iterable[tuple[object, ...]]:
    return map(itemgetter(*table.columns), rows)


@cache
def _delete(table: Table) -> str:
    condition = " AND ".join(f"{column} = ${number}" for number, column in enumerate(table.key, 1))
    return f"DELETE FROM {table.name} WHERE {condition}"


@cache
def _insert(table: Table, on_conflict: str) -> str:
    columns = ", ".join(table.columns)
    values = ", ".join(f"${number}" for number in range(1, len(table.columns) + 1))
    conflict = f"ON CONFLICT ({', '.join(table.key)}) {on_conflict}"
    return f"INSERT INTO {table.name} ({columns}) VALUES ({values}) {conflict}"


@cache
def _on_conflict(table: Table, keep: tuple[str, ...]) -> str:
    """`keep` names the columns whose stored values stay."""
    replaced = [column for column in table.columns if column not in (*table.key, *keep)]
    return "DO UPDATE SET " + ", ".join(f"{column} = excluded.{column}" for column in replaced)
