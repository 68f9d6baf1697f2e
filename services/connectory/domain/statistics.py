"""What an executor tells of itself: samples of its latest work, and now and then what is open in all of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from connectory.domain.json_types import JsonObject


class PollResult(StrEnum):
    """What came of a look for new requests; the values are those of the health document."""

    FAILED = "Failed"
    PAUSED = "NoAvailableWorkers"
    EMPTY = "NoTasksClaimed"
    MORE_THAN_FITS = "RanOutOfCapacity"
    EXACTLY_FULL = "RunningAtCapacity"
    FILLED = "PoolFilled"


class RunResult(StrEnum):
    """What came of a run. One that was carried out is a success, whatever the target answered."""

    SUCCESS = "Success"
    RETRY_SCHEDULED = "RetryScheduled"
    FAILED = "Failed"


class Poll(NamedTuple):
    """`skipped` were done already, `forwarded` went to their home partition."""

    milliseconds: int
    result: PollResult
    skipped: int
    forwarded: int


class Run(NamedTuple):
    milliseconds: int
    result: RunResult


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWork:
    """What is open in the partitions of an executor, as of `at`.

    `idle` and `running` are by connector type, as far as requests have been read; `unread` are on the log, `postponed`
    wait for their time. `due_within` counts those of the latter that become due in each of the next poll intervals.
    """

    at: datetime
    idle: dict[str, int]
    running: dict[str, int]
    unread: int
    postponed: int
    due_within: tuple[int, ...]

    @property
    def overdue(self) -> int:
        return sum(self.idle.values()) + self.unread

    @property
    def count(self) -> int:
        return self.overdue + sum(self.running.values()) + self.postponed


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Samples are the latest ones, the oldest first; `drift` in milliseconds, `load` in percent.

    `runs` are by task type; `recurring` says of the latest runs which were periodic work of the executor's own.
    """

    polls: tuple[Poll, ...]
    last_successful_poll: datetime | None
    last_polling_delay: datetime | None
    drift: tuple[int, ...]
    load: tuple[int, ...]
    runs: dict[str, tuple[Run, ...]]
    recurring: tuple[bool, ...]
    runs_per_minute: int
    work: OpenWork


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorReport:
    """`figures` is `Figures` as JSON: what it holds is a matter between the roles of one version."""

    executor_id: str
    at: datetime
    figures: JsonObject
