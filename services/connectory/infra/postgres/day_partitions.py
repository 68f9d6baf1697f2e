"""Partitions of single UTC days: made when rows of a day first arrive, dropped whole when the day has expired.

Only days within the retention and shortly ahead get a partition. Rows of other days, from clocks that are far off, go
to the default partition, so that no clock can make partitions without end.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from connectory.infra.clock import Clock
from connectory.infra.postgres.database import Connection, Database
from connectory_projections.model import Row, Table

DAYS_AHEAD = timedelta(days=2)
LOCK_WAIT = "2s"
"""How long a change of partitions may wait for readers, who queue behind it meanwhile."""

QUICK_SECONDS = 15.0
"""For a statement whose work does not grow with the table: after that the database is taken to be gone."""

_LOCK = 0x636F6E6E_64617973
_DAY = re.compile(r"_(\d{8})$")


class DayPartitions:
    """Makes partitions for one store and remembers those that are there, until it is told to `forget`."""

    def __init__(self, database: Database, now: Clock, retention: timedelta) -> None:
        self._database = database
        self._now = now
        self._retention = retention
        self._known: set[tuple[str, date]] = set()

    def forget(self) -> None:
        """The database may have lost some: it lost its last commits, or another one took its place."""
        self._known.clear()

    async def ensure(self, table: Table, rows: Iterable[Row]) -> None:
        """Make the partitions that the rows need."""
        for day in sorted(self._days(table, rows)):
            if (table.name, day) not in self._known and self._has_partition_of_its_own(day):
                await _make(self._database, table, day)
                self._known.add((table.name, day))

    def _days(self, table: Table, rows: Iterable[Row]) -> set[date]:
        column = table.partitioned_by_day
        moments = [moment for row in rows if isinstance(moment := row[column], datetime)] if column else []
        ends = {moment.astimezone(UTC).date() for moment in (min(moments), max(moments))} if moments else set()
        return ends if len(ends) < 2 else {moment.astimezone(UTC).date() for moment in moments}

    def _has_partition_of_its_own(self, day: date) -> bool:
        today = self._now().date()
        return today - self._retention <= day <= today + DAYS_AHEAD


async def drop_expired_days(database: Database, table: Table, before: datetime) -> list[str]:
    """Drop the partitions whose whole day lies before that moment, and such rows of the default one.

    Returns the names of the partitions dropped. A partition that readers hold raises `Unavailable`; the next call
    takes it up again.
    """
    async with database.connection() as connection:
        partitions = [name for name in await partition_names(connection, table.name) if _ended(name, before)]
    for name in partitions:
        async with database.transaction() as connection:
            await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'; DROP TABLE IF EXISTS {name}")
    async with database.long_transaction() as connection:
        strays = f"DELETE FROM {table.name}_default WHERE {table.partitioned_by_day} < $1"
        await connection.execute(strays, datetime.combine(before.date(), time.min, UTC))
    return partitions


async def delete_expired_rows(database: Database, table: Table, before: datetime) -> None:
    """For a table without partitions: the rows of the days that ended before that moment."""
    async with database.long_transaction() as connection:
        statement = f"DELETE FROM {table.name} WHERE {table.expires_by} < $1"
        await connection.execute(statement, datetime.combine(before.date(), time.min, UTC))


async def partition_names(connection: Connection, table: str) -> list[str]:
    """The partitions of a table, the default one included; none for a table that is not partitioned."""
    rows = await connection.fetch(
        "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid"
        " WHERE inhparent = to_regclass($1) ORDER BY child.relname",
        table,
    )
    return [row["relname"] for row in rows]


async def mirror_days(source: Database, target: Database, table: Table) -> None:
    """Make the partitions in `target` that the table has in `source`."""
    async with source.connection() as connection:
        names = await partition_names(connection, table.name)
    for start in filter(None, map(_start, names)):
        await _make(target, table, start.date())


def _start(partition: str) -> datetime | None:
    """The first moment of a day's partition; None for the default one."""
    found = _DAY.search(partition)
    return datetime.strptime(found[1], "%Y%m%d").replace(tzinfo=UTC) if found else None


def _ended(partition: str, before: datetime) -> bool:
    start = _start(partition)
    return start is not None and start + timedelta(days=1) <= before


async def _make(database: Database, table: Table, day: date) -> None:
    """Kept by the database when this returns: it is remembered here, and rows that are lost come again."""
    settings = f"SET LOCAL lock_timeout = '{LOCK_WAIT}'; SET LOCAL synchronous_commit = on"
    async with database.long_transaction() as connection:
        await connection.execute(f"{settings}; SELECT pg_advisory_xact_lock({_LOCK})", timeout=QUICK_SECONDS)
        name = f"{table.name}_{day:%Y%m%d}"
        if await connection.fetchval("SELECT to_regclass($1) IS NULL", name, timeout=QUICK_SECONDS):
            await _attach(connection, table, name, day)


async def _attach(connection: Connection, table: Table, name: str, day: date) -> None:
    """Attaching lets readers and writers of the table go on, which creating a partition in place does not.

    Rows of that day that went to the default partition, when the day was still too far ahead, move.
    """
    lower = datetime.combine(day, time.min, UTC).isoformat()
    upper = datetime.combine(day + timedelta(days=1), time.min, UTC).isoformat()
    column = table.partitioned_by_day
    await connection.execute(
        f"""
        CREATE TABLE {name} (LIKE {table.name} INCLUDING ALL);
        WITH moved AS (
            DELETE FROM {table.name}_default WHERE {column} >= '{lower}' AND {column} < '{upper}' RETURNING *
        )
        INSERT INTO {name} SELECT * FROM moved;
        ALTER TABLE {table.name} ATTACH PARTITION {name} FOR VALUES FROM ('{lower}') TO ('{upper}');
        """
    )
