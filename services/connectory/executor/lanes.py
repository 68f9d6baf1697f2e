"""The requests that could run as far as time goes, and what still decides which of them does.

In this order: the ordering key, the turn of its connector, the connector's circuit breaker and rate limit. What is held
for long, or fills the window for long, is put off to a retry topic, so that the others in the partition go on.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import accumulate

from connectory.domain import outcomes
from connectory.domain.outcomes import Attempt
from connectory.domain.time_bounds import given_up, waits_until
from connectory.executor.attempts import Attempts
from connectory.executor.dispatch import Dispatcher
from connectory.executor.jobs import Ending, Job, Lane
from connectory.executor.journal import OutcomeJournal
from connectory.executor.ordering import KeyOrder
from connectory.executor.postponement import Postponement
from connectory.executor.throttle import Held, Throttles
from connectory.executor.waiting import SHORTEST
from connectory.infra.clock import Clock

PATIENCE_SECONDS = 10.0
"""How long a request may be held up before it counts as one whose connector is slow."""

FEWEST_KEPT = 32
"""Requests of a slow connector that stay at hand: so many are read again sooner than they could be run. Where there are
many such connectors, fewer of each."""

LONGEST_HELD_SECONDS = 300.0
"""After that a request goes to a retry topic though the window has room: the progress of the partition, which ends
before it, goes on then."""

PAUSE = timedelta(seconds=15)
"""Clearly more than what is waited for in memory, where a request goes on filling the window."""

LONGER_PAUSE = timedelta(minutes=1)

TOLD_AGAIN = timedelta(minutes=1)
"""A connector at its rate limit is told of as often."""


class Lanes:
    """`wake` is called when something may have become runnable otherwise than by `admit` or `ended`.

    `kept` and `kept_bytes` bound what slow connectors keep in the window between them, but for one request each.
    """

    def __init__(
        self,
        dispatcher: Dispatcher[Lane, Job],
        order: KeyOrder,
        throttles: Throttles,
        attempts: Attempts,
        postponement: Postponement,
        journal: OutcomeJournal,
        clock: Clock,
        max_age: timedelta,
        kept: int,
        kept_bytes: int,
        *,
        wake: Callable[[], None],
    ) -> None:
        self._dispatcher = dispatcher
        self._order = order
        self._throttles = throttles
        self._attempts = attempts
        self._postponement = postponement
        self._journal = journal
        self._clock = clock
        self._max_age = max_age
        self._kept = kept
        self._kept_bytes = kept_bytes
        self._wake = wake
        self._timers: dict[Lane, asyncio.TimerHandle] = {}
        self._told: dict[str, datetime] = {}
        self._now = asyncio.get_running_loop().time
        self._is_closed = False

    @property
    def is_runnable(self) -> bool:
        return self._dispatcher.is_runnable

    def admit(self, job: Job) -> None:
        """The job could run now."""
        if self._is_closed:
            return
        job.queued_at = self._now()
        if job.refusal is not None or job.request.ordering_key is None or not self._order.holds_back(job):
            self._dispatcher.add(job.lane, job)

    def next(self, free: int) -> Job | None:
        """The job to be started, in flight until `ended`; None when there is none. `free` is as in `Dispatcher`."""
        while (job := self._dispatcher.take(free)) is not None:
            if job.goes_at_once:
                return job
            admission, transition = self._throttles.admit(job.request.connector_id)
            if transition is not None:
                self._journal.record(outcomes.turn_breaker(self._about(job), self._clock(), transition))
            if isinstance(admission, Held):
                self._hold(job, admission)
                continue
            job.is_probe = admission == "probe"
            return job
        return None

    def ended(self, lane: Lane) -> None:
        """A job of the lane is no longer in flight."""
        self._dispatcher.release(lane)
        if lane not in self._timers:
            self._dispatcher.unblock(lane)  # it may have been the one that tries a target

    def finished(self, job: Job) -> None:
        """The job has its final outcome."""
        if job.request.ordering_key is not None:
            following = self._order.leave(job)
            if following is not None and not self._is_closed:
                self._dispatcher.add(following.lane, following)
                self._wake()

    def read_to(self, offset: int) -> None:
        """Requests have been read up to `offset`."""
        for job in self._order.read_to(offset):
            self._dispatcher.add(job.lane, job)

    def changed(self, connector_id: str) -> None:
        """The connector is another one now: what was learned about its target does not count any more."""
        lane = (connector_id, False)
        self._throttles.forget(connector_id)
        self._told.pop(connector_id, None)
        if lane in self._timers:
            self._timers.pop(lane).cancel()
        self._dispatcher.unblock(lane)
        self._wake()

    def end(self, ending: Ending) -> None:
        """Let those that are to end without being run do so now, ahead of their turn."""
        if self._is_closed:
            return
        held = [job for job in self._order.held() if ending(job.request) is not None]
        for job in held:
            self._order.let_go(job)
        for job in (*held, *self._dispatcher.extract(lambda job: ending(job.request) is not None)):
            job.refusal = ending(job.request)
            self._dispatcher.add(job.lane, job)
        self._wake()

    def relieve(self, *, is_tight: bool) -> None:
        """Put off what is held up for very long; when the window is `is_tight`, what connectors that are slow have in
        it, and what is held up for long.
        """
        if self._is_closed:
            return
        if is_tight:
            self._put_off_slow()
        held = self._order.held()
        kept = _how_many(held, FEWEST_KEPT, self._kept_bytes) if is_tight else len(held)
        for place, job in enumerate(held):
            if job.queued_at < self._now() - (LONGEST_HELD_SECONDS if place < kept else PATIENCE_SECONDS):
                self._order.let_go(job)
                self._put_off(job, "order", self._clock() + _pause(job))
        self._wake()

    def counts(self) -> Iterator[tuple[str, int, int]]:
        """Connectors with how many of their requests wait, and how many are in flight; some come several times."""
        for (connector_id, _), waiting, in_flight in self._dispatcher.counts():
            yield connector_id, waiting, in_flight
        for job in self._order.held():
            yield job.request.connector_id, 1, 0

    def close(self) -> None:
        """Nothing more is to be started."""
        self._is_closed = True
        for timer in self._timers.values():
            timer.cancel()
        self._dispatcher.clear()

    def _hold(self, job: Job, held: Held) -> None:
        lane, now = job.lane, self._clock()
        self._dispatcher.put_back(lane, job)
        if held.until is None:
            return
        if held.until - now < SHORTEST:
            if held.reason == "rate-limited":
                self._tell(job, now, held.until)
            wait = max(0.0, (held.until - now).total_seconds())
            self._timers[lane] = asyncio.get_running_loop().call_later(wait, self._unblock, lane)
            return
        for each in self._dispatcher.withdraw(lane, 0):
            due = self._throttles.reserve(lane[0], held.until) if held.reason == "rate-limited" else held.until
            self._put_off(each, held.reason, due)
        self._dispatcher.unblock(lane)

    def _put_off_slow(self) -> None:
        since = self._now() - PATIENCE_SECONDS
        heads = self._dispatcher.heads()
        slow = [lane for lane, first in heads if first.queued_at < since and not first.goes_at_once]
        for lane in slow:
            most = min(FEWEST_KEPT, self._kept // len(slow))
            keep = _how_many(self._dispatcher.waiting(lane), most, self._kept_bytes // len(slow))
            for job in self._dispatcher.withdraw(lane, keep):
                self._put_off(job, "backlog", self._clock() + _pause(job))

    def _unblock(self, lane: Lane) -> None:
        del self._timers[lane]
        self._dispatcher.unblock(lane)
        self._wake()

    def _tell(self, job: Job, now: datetime, until: datetime) -> None:
        told = self._told.get(job.request.connector_id)
        if told is None or now - told >= TOLD_AGAIN:
            self._told[job.request.connector_id] = now
            self._journal.record(outcomes.defer(self._about(job), now, "rate-limited", until))

    def _put_off(self, job: Job, reason: str, until: datetime) -> None:
        """Told once for all that it is put off in a row: the log explains the delay, and is not flooded.

        A request whose time is over ends here and now: what holds it could hold it again and again.
        """
        now = self._clock()
        job.refusal = given_up(job.request, now, self._max_age)
        if job.refusal is not None:
            self.admit(job)
            return
        due = waits_until(job.request, until, self._max_age)
        job.deferrals += 1
        if job.deferrals > 1:
            self._postponement.until(job, due)
        else:
            told = outcomes.defer(self._about(job), now, reason, due)
            self._journal.record(told, partial(self._postponement.until, job, due))

    def _about(self, job: Job) -> Attempt:
        """What is told of a request without an attempt at it."""
        return self._attempts.attempt(job, self._attempts.label(job.request), job.attempts)


def _pause(job: Job) -> timedelta:
    """Longer when it has not helped."""
    return PAUSE if job.deferrals < 3 else LONGER_PAUSE


def _how_many(jobs: Sequence[Job], most: int, size: int) -> int:
    """How many of the first may stay, at most so many and together no larger than `size` bytes, but for one."""
    sizes = accumulate(0 if job.source is None else job.source.size for job in jobs[:most])
    return max(1, sum(total <= size for total in sizes))
