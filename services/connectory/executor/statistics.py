"""What an executor has seen lately. The hooks on the way of a request append to bounded deques, and do no more."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from connectory.domain.execution import Failed, Result
from connectory.domain.statistics import Figures, OpenWork, Poll, PollResult, Run, RunResult
from connectory.infra.clock import Clock

OWN_WORK: Final = "connectory:statistics"
"""The task type of the periodic work that the figures themselves are."""

BROKEN: Final = frozenset({"internal", "run-timeout", "secrets-unreadable", "encryption-key-missing"})
"""Reasons of failures that are no answer of a connector or its target: the run itself broke."""


@dataclass(frozen=True, slots=True)
class OpenRequests:
    """Of one partition: requests by connector type that have been read, offsets, and when those that wait are due."""

    partition: int
    read_to: int
    idle: Counter[str]
    running: Counter[str]
    due_at: Iterable[datetime]


def by_type(
    counts: Iterable[tuple[str, int, int]], type_of: Callable[[str], str | None]
) -> tuple[Counter[str], Counter[str]]:
    """How many requests wait, and how many are in flight, from the same by connector."""
    idle, running = Counter[str](), Counter[str]()
    for connector_id, waiting, in_flight in counts:
        type_id = type_of(connector_id) or ""
        idle[type_id] += waiting
        running[type_id] += in_flight
    return idle, running


class Partition(Protocol):
    """A partition that the executor owns."""

    def open_requests(self) -> OpenRequests: ...


class Statistics:
    """`window` is how many samples are kept of each kind."""

    def __init__(self, clock: Clock, window: int = 50) -> None:
        self._clock = clock
        self._window = window
        self._polls: deque[Poll] = deque(maxlen=window)
        self._drift: deque[float] = deque(maxlen=window)
        self._load: deque[int] = deque(maxlen=window)
        self._recurring: deque[bool] = deque(maxlen=window)
        self._runs: defaultdict[str, deque[Run]] = defaultdict(lambda: deque(maxlen=window))
        self._last_poll: datetime | None = None
        self._last_delay: datetime | None = None
        self._skipped = self._forwarded = 0
        self._paused = 0
        self.run_count = 0
        self.partitions: set[Partition] = set()

    # Reading.

    def polled(self, seconds: float, taken: int, room: int, *, full: bool) -> None:
        """A fetch for up to `room` requests gave `taken`."""
        if not taken:
            result = PollResult.EMPTY
        elif full:
            result = PollResult.EXACTLY_FULL if taken < room else PollResult.MORE_THAN_FITS
        else:
            result = PollResult.FILLED
        self._note(round(seconds * 1000), result)
        self._last_poll = self._clock()

    def poll_failed(self) -> None:
        self._note(0, PollResult.FAILED)

    def skipped(self) -> None:
        """A request was done already."""
        self._skipped += 1

    def forwarded(self) -> None:
        self._forwarded += 1

    def paused(self) -> None:
        """A partition reads nothing more until it has room."""
        self._paused += 1
        self._last_delay = self._clock()

    def resumed(self) -> None:
        self._paused -= 1

    def beat(self, load: int) -> None:
        """A poll interval is over; `load` is the share of places that are taken, in percent."""
        self._load.append(load)
        if self._paused:
            # There is nothing to be read for: that the executor looks for room is its poll.
            self._note(0, PollResult.PAUSED)
            self._last_poll = self._clock()

    def _note(self, milliseconds: int, result: PollResult) -> None:
        self._polls.append(Poll(milliseconds, result, self._skipped, self._forwarded))
        self._skipped = self._forwarded = 0

    # Running.

    def started(self, scheduled_at: datetime | None, started_at: datetime) -> None:
        if scheduled_at is not None:
            self._drift.append((started_at - scheduled_at).total_seconds())

    def ended(self, type_id: str, seconds: float, result: Result, due: datetime | None) -> None:
        """A run through a connector came to its end; `due` is when another attempt is made."""
        broken = isinstance(result, Failed) and result.reason in BROKEN
        told = RunResult.RETRY_SCHEDULED if due else RunResult.FAILED if broken else RunResult.SUCCESS
        self._runs[f"actions:{type_id}"].append(Run(round(seconds * 1000), told))
        self._recurring.append(False)
        self.run_count += 1

    def worked(self, seconds: float) -> None:
        """The executor's own periodic work was done."""
        self._runs[OWN_WORK].append(Run(round(seconds * 1000), RunResult.SUCCESS))
        self._recurring.append(True)

    # Telling.

    def figures(self, work: OpenWork, runs_per_minute: int) -> Figures:
        return Figures(
            polls=tuple(self._polls),
            last_successful_poll=self._last_poll,
            last_polling_delay=self._last_delay,
            drift=tuple(round(seconds * 1000) for seconds in self._drift),
            load=tuple(self._load),
            runs={type_id: tuple(runs) for type_id, runs in self._runs.items()},
            recurring=tuple(self._recurring),
            runs_per_minute=runs_per_minute,
            work=work,
        )
