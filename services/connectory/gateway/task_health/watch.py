"""The health as of now, and the lines in the log when it becomes worse or well again."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, NoReturn

from connectory.gateway import json_bodies
from connectory.gateway.task_health.document import Health, health_of, unknown_health
from connectory.gateway.task_health.health import FINE, Merged, Status, Verdict
from connectory.gateway.task_health.reports import ExecutorReports
from connectory.infra.clock import Clock
from connectory.infra.settings import TaskManagerSettings

LOOK_SECONDS: Final = 1.0
ADVICE: Final = (
    "Detected potential performance issue with Task Manager. Set "
    "'xpack.task_manager.monitored_stats_health_verbose_log.enabled: true' in your Kibana.yml to enable debug logging"
)
_FROM_THE_WORST: Final = tuple(Status)

log = logging.getLogger(__name__)


@dataclass(slots=True)
class TaskHealth:
    """`workers` is how many runs an executor carries out at once, `gateway_id` who shows it."""

    reports: ExecutorReports
    settings: TaskManagerSettings
    workers: int
    clock: Clock
    gateway_id: str
    _last: Verdict = field(default=FINE)

    def now(self) -> Health:
        reports = self.reports.latest()
        if not reports:
            return unknown_health(self.gateway_id, self.clock())
        merged = Merged(reports, self.settings)
        return health_of(self.gateway_id, self.clock(), merged, self.settings, self.workers)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Follow the reports, and look at them, until left."""
        async with self.reports.open():
            watching = asyncio.create_task(self._watch())
            try:
                yield
            finally:
                watching.cancel()
                await asyncio.wait([watching])

    async def _watch(self) -> NoReturn:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        """Tell of a change. That no executor has asked for requests yet is none: they start beside the gateway."""
        if all(report.figures.last_successful_poll is None for report in self.reports.latest()):
            return
        health = self.now()
        before, self._last = self._last, health.verdict
        if health.verdict.status is before.status:
            return
        if _FROM_THE_WORST.index(health.verdict.status) < _FROM_THE_WORST.index(before.status):
            self._tell_worse(health)
        if health.verdict.status is Status.OK:
            log.info("Task Manager is healthy")
        else:
            log.warning("Task Manager is unhealthy - Reason: %s", health.verdict.reason)

    def _tell_worse(self, health: Health) -> None:
        if self.settings.verbose_log:
            log.warning("Latest Monitored Stats: %s", json_bodies.write(health.document).decode())
        else:
            log.warning(ADVICE)
