"""What the executors last told of themselves, read from the log."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NoReturn

from pydantic import TypeAdapter, ValidationError

from connectory.domain.errors import Undecodable
from connectory.domain.statistics import ExecutorReport, Figures
from connectory.infra.clock import Clock
from connectory.infra.log import Log, Record
from connectory.infra.messages import Messages
from connectory.infra.supervision import keep_running
from connectory.infra.topics import EXECUTOR_REPORTS

PARTITION: Final = 0
FETCH_SECONDS: Final = 5.0
LONGEST_WAIT: Final = 2.0

ALIVE_FOR: Final = timedelta(seconds=5)
"""An executor that was silent for so long, while another reported, is not counted any more."""

_FIGURES: Final = TypeAdapter(Figures)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    at: datetime
    figures: Figures


class ExecutorReports:
    """The latest of each executor that is alive; when all are silent, those of the last ones."""

    def __init__(self, log_: Log, messages: Messages, clock: Clock) -> None:
        self._log = log_
        self._messages = messages
        self._clock = clock
        self._latest: dict[str, Report] = {}
        self._position: int | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Follow the topic until left."""
        reading = asyncio.create_task(keep_running("the executors' reports", self._read, longest_wait=LONGEST_WAIT))
        try:
            yield
        finally:
            reading.cancel()
            await asyncio.wait([reading])

    def latest(self) -> Sequence[Report]:
        if not self._latest:
            return ()
        newest = max(report.at for report in self._latest.values())
        return [report for report in self._latest.values() if newest - report.at <= ALIVE_FOR]

    async def _read(self) -> NoReturn:
        if self._position is None:
            since = self._clock() - ALIVE_FOR
            self._position = await self._log.offset_at(EXECUTOR_REPORTS, PARTITION, int(since.timestamp() * 1000))
        async with self._log.tail(EXECUTOR_REPORTS, PARTITION, self._position) as tail:
            while True:
                for record in await tail.fetch(FETCH_SECONDS):
                    self.take(record)
                self._position = tail.position

    def take(self, record: Record) -> None:
        """What another version has told may be of no use here: it is passed over."""
        try:
            report = self._messages.decode(record.value, ExecutorReport)
            figures = _FIGURES.validate_python(report.figures)
        except (Undecodable, ValidationError) as error:
            log.debug("passed over a report at %s/%d/%d: %s", *record[:3], error)
            return
        self._latest[report.executor_id] = Report(report.at, figures)
        self._forget_the_silent(report.at)

    def _forget_the_silent(self, now: datetime) -> None:
        self._latest = {name: report for name, report in self._latest.items() if now - report.at <= ALIVE_FOR}
