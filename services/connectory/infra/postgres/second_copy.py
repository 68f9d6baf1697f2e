"""A second copy of a projection's tables, in a Postgres schema of its own, and how it takes the place of the live one.

Statements name the schemas: a transaction here sees both copies.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from connectory.domain.errors import Refused, Unavailable
from connectory.infra.postgres.database import Connection, Database
from connectory.infra.postgres.day_partitions import mirror_days, partition_names
from connectory.infra.postgres.exclusive import PostgresExclusive
from connectory.infra.postgres.migrations import migrate
from connectory_projections.model import AnyProjection, Table

Offsets: TypeAlias = Mapping[int, int]
"""Partition → the next offset."""

CONNECTIONS = 8
LOCK_WAIT = "2s"
"""How long the swap may wait for readers of the live tables, who queue behind it meanwhile."""


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Digest:
    """What a table holds: the number of its rows, and a sum over them that does not depend on their order."""

    rows: int
    checksum: str


@asynccontextmanager
async def second_copy(database: Database, projection: AnyProjection) -> AsyncIterator["SecondCopy"]:
    """Make empty tables beside the live ones; what an interrupted rebuild has left is dropped first.

    Raises `Refused` (`rebuild-running`) while another rebuild of the projection runs.
    """
    schema = f"rebuild_{projection.name}"
    running = Refused("rebuild-running", f"Projection {projection.name} is being rebuilt already")
    async with PostgresExclusive(database).hold(schema, running):
        await _drop(database, schema)
        async with database.beside(schema, CONNECTIONS, timedelta(hours=6)) as beside:
            await migrate(beside, [projection])
            copy = SecondCopy(database, beside, projection)
            await copy.mirror_days()
            yield copy
        await _drop(database, schema)


class SecondCopy:
    def __init__(self, live: Database, beside: Database, projection: AnyProjection) -> None:
        self.database = beside
        self._live = live
        self._projection = projection

    async def mirror_days(self) -> None:
        """Have the partitions that the live tables have, so that rows of a day lie where the live ones do."""
        for table in self._projection.tables:
            if table.partitioned_by_day:
                await mirror_days(self._live, self.database, table)

    async def live_offsets(self) -> Offsets:
        async with self._live.connection() as connection:
            return await self._offsets(connection)

    async def live_digests(self, since: datetime) -> tuple[Offsets, Mapping[str, Digest]]:
        """The live offsets and what the live tables hold at these offsets, `since` for days: one consistent view."""
        async with self.database.transaction("repeatable_read") as connection:
            offsets = await self._offsets(connection)
            return offsets, await self._digests(connection, self._live.schema, since)

    async def digests(self, since: datetime) -> Mapping[str, Digest]:
        async with self.database.connection() as connection:
            return await self._digests(connection, self.database.schema, since)

    async def carry_over(self, before: datetime) -> int:
        """Add the live rows older than that moment which the copy does not have; returns how many."""
        async with self.database.connection() as connection:
            statements = [self._carrying(table) for table in self._projection.tables]
            done = [await connection.execute(statement, before) for statement in statements]
        return sum(int(tag.rpartition(" ")[2]) for tag in done)

    async def analyze(self) -> None:
        """Let the planner know the new tables before anybody reads them."""
        async with self.database.connection() as connection:
            for table in self._projection.tables:
                await connection.execute(f"ANALYZE {table.name}")

    async def swap(self, catch_up: Callable[[Offsets], Awaitable[None]]) -> None:
        """Put the copy in the place of the live tables, in one transaction, and drop those.

        The live offsets are locked meanwhile, so that the live runner waits while `catch_up` brings the copy to
        them. Raises `Unavailable` when readers keep the tables for too long.
        """
        retired = f"retired_{self._projection.name}"
        await _drop(self._live, retired)
        async with self._live.transaction() as connection:
            await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'; CREATE SCHEMA {retired}")
            await catch_up(await self._offsets(connection, "FOR UPDATE"))
            for table in self._projection.tables:
                await connection.execute(f"LOCK TABLE {self._live.schema}.{table.name} IN ACCESS EXCLUSIVE MODE")
                await _move(connection, table, self._live.schema, retired)
                await _move(connection, table, self.database.schema, self._live.schema)
        try:
            await _drop(self._live, retired)
        except Unavailable as error:  # done is done: the next rebuild drops them first
            log.warning("the former tables stay in the schema %s for now: %s", retired, error)

    async def _offsets(self, connection: Connection, lock: str = "") -> Offsets:
        rows = await connection.fetch(
            f"SELECT partition, next_offset FROM {self._live.schema}.projection_offsets"
            f" WHERE projection = $1 AND topic = $2 ORDER BY partition {lock}",
            self._projection.name,
            self._projection.topic,
        )
        return {row["partition"]: row["next_offset"] for row in rows}

    async def _digests(self, connection: Connection, schema: str, since: datetime) -> Mapping[str, Digest]:
        return {table.name: await _digest(connection, table, schema, since) for table in self._projection.tables}

    def _carrying(self, table: Table) -> str:
        columns = ", ".join(table.columns)
        return (
            f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM {self._live.schema}.{table.name}"
            f" WHERE {table.expiry} < $1 ON CONFLICT DO NOTHING"
        )


async def _digest(connection: Connection, table: Table, schema: str, since: datetime) -> Digest:
    day = table.expiry
    row = await connection.fetchrow(
        "SELECT count(*) AS rows, coalesce(sum(hashtextextended(each.*::text, 0)::numeric), 0)::text AS checksum"
        f" FROM {schema}.{table.name} each WHERE {day or '$1::timestamptz'} >= $1",
        since,
    )
    assert row is not None  # an aggregate always has a row
    return Digest(row["rows"], row["checksum"])


async def _move(connection: Connection, table: Table, source: str, target: str) -> None:
    partitions = await partition_names(connection, f"{source}.{table.name}")
    for name in (table.name, *partitions):
        await connection.execute(f"ALTER TABLE {source}.{name} SET SCHEMA {target}")


async def _drop(database: Database, schema: str) -> None:
    async with database.connection() as connection:
        await connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
