"""An executor tells of itself: what it has seen lately, twice a second, and now and then all that is open."""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from time import perf_counter
from typing import Final, NoReturn

from connectory.domain.errors import ConnectoryError
from connectory.domain.execution import iso_millis
from connectory.domain.json_types import Json, JsonObject
from connectory.domain.statistics import ExecutorReport, OpenWork
from connectory.executor.environment import Executor
from connectory.executor.statistics import OpenRequests
from connectory.infra.log import END_OF_TIME_MS, Writer
from connectory.infra.topics import ACTION_REQUESTS, EXECUTOR_REPORTS

MINUTE: Final = timedelta(minutes=1)

LONGEST_SILENCE: Final = timedelta(milliseconds=500)
"""What a report tells of is as old as the longest look for requests already: it must not grow much older."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSettings:
    """`refresh` is how often it is found out what is open; what is due is counted by `interval`, that of polls."""

    interval: timedelta = timedelta(milliseconds=500)
    refresh: timedelta = timedelta(seconds=60)


class Reporting:
    def __init__(self, executor: Executor, writer: Writer, settings: ReportSettings) -> None:
        self._executor = executor
        self._writer = writer
        self._settings = settings
        self._id = executor.world.new_id()
        self._clock = executor.world.clock
        self._counted: deque[tuple[datetime, int]] = deque()

    async def run(self) -> NoReturn:
        """Report until cancelled. A report that cannot be written is left out: the next one is on its way."""
        work = await self._open_work()
        while True:
            try:
                if self._clock() - work.at >= self._settings.refresh:
                    work = await self._open_work()
                await self._report(work)
            except ConnectoryError as error:
                log.debug("a report of this executor is left out: %s", error)
            await asyncio.sleep(min(self._settings.interval, LONGEST_SILENCE).total_seconds())

    async def _report(self, work: OpenWork) -> None:
        statistics, now = self._executor.statistics, self._clock()
        statistics.beat(self._load())
        figures = statistics.figures(work, self._runs_of_the_last_minute(now))
        report = ExecutorReport(executor_id=self._id, at=now, figures=_json_object(asdict(figures)))
        message = self._executor.world.messages.message(EXECUTOR_REPORTS, self._id, report, at=now, partition=0)
        await self._writer.write([message])

    def _load(self) -> int:
        places = self._executor.limits.in_flight
        return round(100 * (places - self._executor.slots.free) / places)

    def _runs_of_the_last_minute(self, now: datetime) -> int:
        total = self._executor.statistics.run_count
        self._counted.append((now, total))
        while self._counted[0][0] <= now - MINUTE:
            self._counted.popleft()
        return total - self._counted[0][1]

    async def _open_work(self) -> OpenWork:
        began, now = perf_counter(), self._clock()
        found = [partition.open_requests() for partition in tuple(self._executor.statistics.partitions)]
        unread = [await self._unread(each) for each in found]
        due_times = [due_at for each in found for due_at in each.due_at]
        idle, running = _total(each.idle for each in found), _total(each.running for each in found)
        self._executor.statistics.worked(perf_counter() - began)
        return OpenWork(
            at=now,
            idle=idle,
            running=running,
            unread=sum(unread),
            postponed=len(due_times),
            due_within=_by_interval(due_times, now, self._settings.interval),
        )

    async def _unread(self, open_: OpenRequests) -> int:
        end = await self._executor.log.offset_at(ACTION_REQUESTS, open_.partition, END_OF_TIME_MS)
        return max(0, end - open_.read_to)


def _total(counts: Iterable[Counter[str]]) -> dict[str, int]:
    total = sum(counts, Counter[str]())
    return {name: count for name, count in total.items() if count}


def _by_interval(due_times: Iterable[datetime], now: datetime, interval: timedelta) -> tuple[int, ...]:
    """How many are due in each interval of the next minute."""
    counts = [0] * max(1, MINUTE // interval)
    for due_at in due_times:
        index = max(0, (due_at - now) // interval)
        if index < len(counts):
            counts[index] += 1
    return tuple(counts)


def _json_object(fields: dict[str, object]) -> JsonObject:
    return {name: _json(value) for name, value in fields.items()}


def _json(value: object) -> Json:
    match value:
        case datetime():
            return iso_millis(value)
        case dict():
            return _json_object(value)
        case list() | tuple():
            return [_json(each) for each in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            raise TypeError(f"no JSON for {type(value).__name__}")
