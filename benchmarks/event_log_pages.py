"""How long pages of a filled event log take, for each kind of filter, as the gateway reads them.

The rows are made in the database, thirty days of them: a thousand connectors of four types in two spaces, one attempt
in fifty failed.
"""

import hashlib
import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from statistics import quantiles
from typing import Final
from uuid import UUID

from benchmarks.bars import Figures
from connectory.infra.clock import utc_now
from connectory.infra.postgres import Database, migrate
from connectory.infra.postgres.day_partitions import DayPartitions
from connectory_projections.event_log import EVENT_LOG, TABLE, EventLogFilter, page
from connectory_projections.sql_files import load_statements

SIZES: Final = {"1m": 1_000_000, "10m": 10_000_000}
SKIP: Final = "BENCHMARK_SKIP"
"""An environment variable: the sizes to leave out, separated by commas."""

DAYS: Final = 30
DAY: Final = timedelta(days=1)
CONNECTORS: Final = 1_000
TYPES: Final = (".webhook", ".slack", ".email", ".pagerduty")
FILL_AT_ONCE: Final = 100_000
PAGE: Final = 100
ROUNDS: Final = 30
WARM_UP: Final = 3

_SQL: Final = load_statements(__file__)


async def measure(database: Database) -> Figures:
    """Percentiles over all kinds of filters together, and the slowest kind's."""
    skipped = os.environ.get(SKIP, "").split(",")
    figures: Figures = {}
    for name, rows in SIZES.items():
        if name not in skipped:
            async with database.beside(f"pages_{name}", 2, timedelta(hours=1)) as beside:
                begun = time.perf_counter()
                filled = await fill(beside, rows)
                figures[f"fill_{name}_s"] = time.perf_counter() - begun
                figures |= await pages(beside, filled, f"page_of_{name}")
            async with database.connection() as connection:
                await connection.execute(f"DROP SCHEMA pages_{name} CASCADE")
    return figures


class Filled:
    """A log of so many attempts, and the filters that one may ask it with; each call asks for something else."""

    def __init__(self, attempts: int, begin: datetime) -> None:
        self.attempts = attempts
        self.begin = begin
        self.step = timedelta(days=DAYS) / attempts
        self._chance = random.Random(attempts)

    def kinds(self) -> Mapping[str, Callable[[], EventLogFilter]]:
        return {
            "all": EventLogFilter,
            "connector": lambda: EventLogFilter(connector_id=self._connector()),
            "type": lambda: EventLogFilter(connector_type_id=self._type()),
            "failure": lambda: EventLogFilter(outcome="failure"),
            "success": lambda: EventLogFilter(outcome="success"),
            "action": lambda: EventLogFilter(action="execute"),
            "rare_action": lambda: EventLogFilter(action="execute-timeout"),
            "request": lambda: EventLogFilter(request_id=self._id("request")),
            "execution": lambda: EventLogFilter(execution_id=self._id("execution")),
            "hour": self._hour,
            "connector_failure": lambda: EventLogFilter(connector_id=self._connector(), outcome="failure"),
            "type_failure": lambda: EventLogFilter(connector_type_id=self._type(), outcome="failure"),
            "connector_day": lambda: self._span(EventLogFilter(connector_id=self._connector()), DAY),
            "type_failure_day": lambda: self._span(
                EventLogFilter(connector_type_id=self._type(), outcome="failure"), DAY
            ),
            "text": lambda: EventLogFilter(q="executed"),
            "connector_text": lambda: EventLogFilter(connector_id=self._connector(), q="Started"),
        }

    def _connector(self) -> str:
        return f"connector-{self._chance.randrange(CONNECTORS)}"

    def _type(self) -> str:
        return self._chance.choice(TYPES)

    def _id(self, kind: str) -> str:
        number = self._chance.randrange(self.attempts)
        return str(UUID(hashlib.md5(f"{kind}{number}".encode(), usedforsecurity=False).hexdigest()))

    def _hour(self) -> EventLogFilter:
        return self._span(EventLogFilter(), timedelta(hours=1))

    def _span(self, where: EventLogFilter, span: timedelta) -> EventLogFilter:
        begin = self.begin + timedelta(hours=self._chance.randrange(24 * (DAYS - 1)))
        return replace(where, from_=begin, to=begin + span)


async def fill(database: Database, rows: int) -> Filled:
    await migrate(database, [EVENT_LOG])
    filled = Filled(rows // 2, utc_now() - timedelta(days=DAYS))
    days = [{"at": filled.begin + timedelta(days=day)} for day in range(DAYS + 1)]
    await DayPartitions(database, utc_now, timedelta(days=DAYS + 1)).ensure(TABLE, days)
    async with database.connection() as connection:
        for first in range(0, filled.attempts, FILL_AT_ONCE):
            last = min(first + FILL_AT_ONCE, filled.attempts) - 1
            await connection.execute(_SQL["fill"], first, last, filled.begin, filled.step, timeout=600)
        await connection.execute(f"VACUUM ANALYZE {TABLE.name}", timeout=3600)
    return filled


async def pages(database: Database, filled: Filled, prefix: str) -> Figures:
    took = {name: await timed(database, where) for name, where in filled.kinds().items()}
    together = quantiles([each for times in took.values() for each in times], n=100)
    slowest = max(took.values(), key=lambda times: sorted(times)[len(times) // 2])
    return {
        f"{prefix}_p50_ms": together[49],
        f"{prefix}_p99_ms": together[98],
        f"{prefix}_p50_ms_of_slowest_kind": sorted(slowest)[len(slowest) // 2],
    }


async def timed(database: Database, where: Callable[[], EventLogFilter]) -> list[float]:
    """Milliseconds of each page, the first and the one after it by turns."""
    times: list[float] = []
    cursor = None
    for _ in range(WARM_UP + ROUNDS):
        begun = time.perf_counter()
        entries = await database.all(page("default", where(), limit=PAGE, cursor=cursor))
        times.append((time.perf_counter() - begun) * 1000)
        cursor = entries[PAGE - 1].cursor if len(entries) > PAGE and cursor is None else None
    return times[WARM_UP:]
