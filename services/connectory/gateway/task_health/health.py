"""From what executors report to what it means: samples put together, statuses, throughput needed and there."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from connectory.domain.statistics import Poll, PollResult, Run, RunResult
from connectory.gateway.task_health.reports import Report
from connectory.infra.settings import TaskManagerSettings

HOT_MARGIN: Final = timedelta(seconds=1)
"""On top of the poll interval: how old the last poll that worked may be."""

COLD_FACTOR: Final = 1.5
"""Of the refresh rate: how old what is known of open work may be."""

OWN_WORK: Final = "connectory:statistics"
MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


class Status(StrEnum):
    ERROR = "error"
    UNINITIALIZED = "uninitialized"
    WARN = "warn"
    OK = "OK"


_FROM_THE_WORST: Final = tuple(Status)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` only where the status is not `OK`."""

    status: Status
    reason: str | None = None


FINE: Final = Verdict(Status.OK)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst status, and the reasons for it."""
    all_ = sorted(verdicts, key=lambda verdict: _FROM_THE_WORST.index(verdict.status))
    if not all_ or all_[0].status is Status.OK:
        return FINE
    status = all_[0].status
    return Verdict(status, "; ".join(each.reason for each in all_ if each.status is status and each.reason))


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Shares of failed runs, in percent; exceeding one is what counts."""

    error: float
    warn: float

    def judge(self, task_type: str, failed: int) -> Verdict:
        for status, limit in ((Status.ERROR, self.error), (Status.WARN, self.warn)):
            if failed > limit:
                text = f"setting HealthStatus.{status.name.title()} because {failed}% of {task_type} failed"
                return Verdict(status, f"{text}, above the threshold of {limit:g}%")
        return FINE


def thresholds_of(task_type: str, settings: TaskManagerSettings) -> Thresholds:
    custom = settings.custom_thresholds.get(task_type)
    if custom is not None:
        return Thresholds(custom.error_threshold, custom.warn_threshold)
    return Thresholds(settings.error_threshold, settings.warn_threshold)


def percentiles(samples: Iterable[float]) -> Mapping[str, float]:
    """By nearest rank; 0 without samples."""
    ranked = sorted(samples)
    return {
        f"p{percent}": ranked[max(0, math.ceil(percent / 100 * len(ranked)) - 1)] if ranked else 0
        for percent in (50, 90, 95, 99)
    }


def share(count: int, of: int) -> int:
    """In whole percent."""
    return round(100 * count / of) if of else 0


def poll_frequencies(polls: Sequence[Poll]) -> Mapping[str, int]:
    counts = Counter(poll.result for poll in polls)
    return {result.value: share(counts[result], len(polls)) for result in PollResult}


def run_frequencies(runs: Sequence[Run]) -> Mapping[str, int]:
    counts = Counter(run.result for run in runs)
    return {result.value: share(counts[result], len(runs)) for result in RunResult}


class Merged:
    """The reports of all executors as one. There is at least one."""

    def __init__(self, reports: Sequence[Report], settings: TaskManagerSettings) -> None:
        figures = [report.figures for report in reports]
        self.executors = len(figures)
        self.at = max(report.at for report in reports)
        self.polls = [poll for each in figures for poll in each.polls]
        self.last_poll = _latest(each.last_successful_poll for each in figures)
        self.last_delay = _latest(each.last_polling_delay for each in figures)
        self.drift = [late for each in figures for late in each.drift]
        self.load = [load for each in figures for load in each.load]
        self.recurring = [was for each in figures for was in each.recurring]
        self.runs = _together(figure.runs for figure in figures)
        self.runs_per_minute = sum(each.runs_per_minute for each in figures)
        self.work = [each.work for each in figures]
        self.work_at = min(work.at for work in self.work)
        self._settings = settings

    def judge_runs(self) -> Mapping[str, Verdict]:
        """By task type."""
        return {
            task_type: thresholds_of(task_type, self._settings).judge(
                task_type, run_frequencies(runs)[RunResult.FAILED.value]
            )
            for task_type, runs in self.runs.items()
        }

    def judge_age(self, now: datetime) -> Verdict:
        """Figures that are too old say nothing any more."""
        oldest = now - self._settings.poll_interval - HOT_MARGIN
        if self.last_poll is None or self.last_poll < oldest:
            return Verdict(Status.ERROR, "setting HealthStatus.Error because of expired hot timestamps")
        if self.work_at < now - COLD_FACTOR * self._settings.stats_refresh_rate:
            return Verdict(Status.ERROR, "setting HealthStatus.Error because of expired cold timestamps")
        return FINE


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often all recurring work runs, by what it is counted in: separate buckets, not sums."""

    per_minute: float
    per_hour: float
    per_day: float

    @classmethod
    def of(cls, interval: timedelta, count: int) -> "Cadence":
        if interval <= MINUTE:
            return cls(count * (MINUTE / interval), 0, 0)
        if interval <= HOUR:
            return cls(0, count * (HOUR / interval), 0)
        return cls(0, 0, count * (DAY / interval))

    @property
    def needed_per_minute(self) -> float:
        return self.per_minute + self.per_hour / 60 + self.per_day / 1440


@dataclass(frozen=True, slots=True)
class Capacity:
    """Runs a minute: what one executor can do, what is needed by recurring work and in all, for so many executors."""

    executors: int
    per_executor: int
    recurring: float
    required: float
    overdue: int

    @property
    def throughput(self) -> int:
        return self.per_executor * self.executors

    @property
    def least_executors(self) -> int:
        return max(1, math.ceil(self.recurring / self.per_executor))

    @property
    def advised_executors(self) -> int:
        return max(1, math.ceil(self.required / self.per_executor))

    def judge(self) -> Verdict:
        if self.required / self.executors < self.per_executor:
            return FINE
        status = Status.WARN if self.recurring / self.executors < self.per_executor else Status.ERROR
        needed = f"{self.required / self.executors:g} runs a minute are required of each executor"
        text = f"{needed}, which can do {self.per_executor}"
        return Verdict(status, f"setting HealthStatus.{status.name.title()} because {text}")


def capacity_of(merged: Merged, settings: TaskManagerSettings, workers: int) -> Capacity:
    recurring = Cadence.of(settings.stats_refresh_rate, merged.executors).needed_per_minute
    return Capacity(
        executors=merged.executors,
        per_executor=round(MINUTE / settings.poll_interval * workers),
        recurring=recurring,
        required=recurring + merged.runs_per_minute,
        overdue=sum(work.overdue for work in merged.work),
    )


def _latest(moments: Iterable[datetime | None]) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)


def _together(all_: Iterable[Mapping[str, Sequence[Run]]]) -> Mapping[str, Sequence[Run]]:
    together: dict[str, list[Run]] = {}
    for runs_by_type in all_:
        for task_type, runs in runs_by_type.items():
            together.setdefault(task_type, []).extend(runs)
    return together
