"""How many outcomes a second one projector makes rows of, and how long a page of the event log takes.

The ceiling is one bare `COPY` of the same rows into a table with the same columns, indexes and partitions. A second
figure tells what it is without indexes.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from statistics import harmonic_mean
from typing import NamedTuple

import psutil

from benchmarks import event_log_pages
from benchmarks.bars import Figures
from benchmarks.outcomes import outcomes, write_outcomes
from benchmarks.processes import processor_seconds
from benchmarks.projected import until_applied
from benchmarks.servers import RETENTION, Servers, servers
from connectory.infra.clock import utc_now
from connectory.infra.postgres import Database, migrate
from connectory.infra.postgres.day_partitions import DayPartitions
from connectory_projections.event_log import EVENT_LOG, TABLE, apply
from connectory_projections.model import Append, Sourced

ROUNDS = 4
OUTCOMES = 100_000
"""Of each round."""

LIMIT_SECONDS = 120.0


async def measure() -> Figures:
    async with servers() as system:
        figures = await beside_copy(system)
        pages = await event_log_pages.measure(system.database)
    return {**figures, **pages}


async def beside_copy(system: Servers) -> Figures:
    """Ceiling and projector in turns, and the ceiling once more, so that a machine that slows down slows both."""
    projected: list[Projected] = []
    async with system.database.beside("ceiling", 2, timedelta(hours=1)) as beside:
        await migrate(beside, [EVENT_LOG])
        ceilings = [await ceiling(beside)]
        for _ in range(ROUNDS):
            await write_outcomes(system.log, OUTCOMES)
            projected.append(await projector(system))
            ceilings.append(await ceiling(beside))
    indexed, bare = (harmonic_mean(rates) for rates in zip(*ceilings, strict=True))
    outcomes_stored = sum(each.outcomes for each in projected)
    rate = outcomes_stored / sum(each.seconds for each in projected)
    return {
        "projector_per_s": rate,
        "ceiling_per_s": indexed,
        "ratio": rate / indexed,
        "ceiling_without_indexes_per_s": bare,
        "projector_processor_us_per_outcome": sum(each.processor_seconds for each in projected) / outcomes_stored * 1e6,
    }


class Projected(NamedTuple):
    """One round of the projector: outcomes from the first rows to the last, and what they took."""

    outcomes: int
    seconds: float
    processor_seconds: float


async def ceiling(database: Database) -> tuple[float, float]:
    """Rows per second of one `COPY`, into a table as ours and into one without indexes."""
    rows = [
        change.row
        for each in outcomes(OUTCOMES)
        for change in apply(Sourced(asdict(each), "", 0, 0))
        if isinstance(change, Append)
    ]
    await DayPartitions(database, utc_now, RETENTION).ensure(TABLE, rows)
    tuples = [tuple(row[column] for column in TABLE.columns) for row in rows]
    async with database.connection() as connection:
        await connection.execute(f"CREATE TABLE IF NOT EXISTS plain (LIKE {TABLE.name})")
    return await copied(database, TABLE.name, tuples), await copied(database, "plain", tuples)


async def copied(database: Database, table: str, rows: Sequence[tuple[object, ...]]) -> float:
    async with database.connection() as connection:
        begun = time.perf_counter()
        await connection.copy_records_to_table(table, records=rows, columns=TABLE.columns)
        seconds = time.perf_counter() - begun
        await connection.execute(f"TRUNCATE {table}")
    return len(rows) / seconds


async def projector(system: Servers) -> Projected:
    """Start a projector, and let it store what is new on the log."""
    before = await until_applied(system.database, EVENT_LOG, 0)
    async with system.serve("projector") as process, asyncio.timeout(LIMIT_SECONDS):
        watched = psutil.Process(process.pid)
        already = await until_applied(system.database, EVENT_LOG, before + 1)
        begun, used = time.perf_counter(), processor_seconds(watched)
        await until_applied(system.database, EVENT_LOG, before + OUTCOMES)
        seconds, used = time.perf_counter() - begun, processor_seconds(watched) - used
    return Projected(before + OUTCOMES - already, seconds, used)
