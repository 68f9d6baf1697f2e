"""What the outcomes of a partition tell a new owner about the requests that it will read again.

The ledger is the outcome topic itself: nothing else is written down. Requests are known by their position (one
submission) and by their id (all submissions of one request).
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b

from connectory.domain.execution import Action, ActionRequest, Outcome
from connectory.executor.waiting import Waiting
from connectory.infra.topics import ACTION_REQUESTS

GENERATIONS = 12
MOST_IDS = 500_000
"""Ids that are remembered of a partition. Where more come within the window, the oldest are forgotten early."""

BREAKER_ACTIONS = frozenset({Action.BREAKER_OPENED, Action.BREAKER_HALF_OPEN, Action.BREAKER_CLOSED})
"""They tell of the connector, not of the request that brought them about."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """Not seen before: run it."""


@dataclass(frozen=True, slots=True)
class Done:
    """This very submission has its outcome: skip it. A `failure` may lack its dead letter still."""

    failure: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Resubmitted:
    """Another submission of the same id was accepted within the window: do not run it."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """This submission was begun and has no final outcome.

    `begun` are its attempts without an end, oldest first: they are in doubt. `attempts` counts all that were made.
    `retry_at` is when it was to be tried again after the last one; `unscheduled` is the end of that one when the
    decision to try again was not recorded any more.
    """

    begun: tuple[Outcome, ...] = ()
    attempts: int = 0
    possible_duplicate: bool = False
    retry_at: datetime | None = None
    unscheduled: Outcome | None = None


Verdict = Fresh | Done | Resubmitted | Unfinished

FRESH = Fresh()
DONE = Done()
RESUBMITTED = Resubmitted()
NOTHING_BEGUN = Unfinished()


def identity(of: ActionRequest | Outcome) -> bytes:
    """What makes two submissions the same request: publishers know of each other's ids only within a connector.

    Ids may hold any character, so lengths and not a separator keep them apart. Of all that a hash is kept: ids may be
    long, and many are remembered.
    """
    text = f"{len(of.space_id)}.{len(of.connector_id)}.{of.space_id}{of.connector_id}{of.request_id}"
    return blake2b(text.encode(errors="replace"), digest_size=16).digest()


class RecentIds:
    """Request ids of the last `window`, forgotten a generation (a twelfth of the window) at a time."""

    def __init__(self, window: timedelta, most: int = MOST_IDS) -> None:
        self._window = window
        self._most_in_one = max(1, most // GENERATIONS)
        self._generations: deque[tuple[datetime, set[bytes]]] = deque()

    def __contains__(self, request_id: bytes) -> bool:
        return any(request_id in ids for _, ids in self._generations)

    def add(self, request_id: bytes, at: datetime) -> None:
        if self._is_full(at):
            self.forget(at)
            self._generations.append((at, set()))
            if len(self._generations) > GENERATIONS + 1:
                self._generations.popleft()
        self._generations[-1][1].add(request_id)

    def _is_full(self, at: datetime) -> bool:
        if not self._generations:
            return True
        since, ids = self._generations[-1]
        return at - since >= self._window / GENERATIONS or len(ids) >= self._most_in_one

    def forget(self, now: datetime) -> None:
        """Let go of what is older than the window. Before asking: where little comes, adding forgets too seldom."""
        while self._generations and now - self._generations[0][0] > self._window + self._window / GENERATIONS:
            self._generations.popleft()


class Ledger:
    """Fed with the partition's outcomes in order, then asked about each request as it is read.

    Only requests that are still to be read are remembered one by one: those at or after `start` of the topic of
    requests, and those that wait on a retry topic. `last_starts` and `opened_breakers` are by connector. What lies
    before `read_before` on the topic of requests was read by a former owner, and may have outcomes.
    """

    def __init__(self, start: int, window: timedelta, waiting: Waiting) -> None:
        self._start = start
        self._waiting = waiting
        self._done: set[int] = set()
        self._failures: dict[int, Outcome] = {}
        self._unfinished: dict[int, Unfinished] = {}
        self._recent = RecentIds(window)
        self.read_before = 0
        self.last_starts: dict[str, datetime] = {}
        self.opened_breakers: dict[str, Outcome] = {}

    def absorb(self, outcome: Outcome) -> None:
        """Take in one outcome. A `duplicate` closes its own submission and says nothing about the others."""
        if outcome.action in BREAKER_ACTIONS:
            self._turn_breaker(outcome)
            return
        if outcome.action is not Action.DUPLICATE:
            self._recent.add(identity(outcome), outcome.at)
        if outcome.action is Action.EXECUTE_START:
            self.last_starts[outcome.connector_id] = outcome.at
        offset = outcome.position.offset
        if outcome.position.topic != ACTION_REQUESTS:
            return
        self.read_before = max(self.read_before, offset + 1)
        if offset < self._start and offset not in self._waiting:
            return
        if outcome.final or outcome.action is Action.DUPLICATE:
            self._end(offset, outcome)
        else:
            self._unfinished[offset] = _after(self._unfinished.get(offset, NOTHING_BEGUN), outcome)

    def leave_to_waiting(self, offsets: Iterable[int]) -> None:
        """Requests that are on a retry topic already, and are not to be run from where they were read first."""
        self._done.update(offset for offset in offsets if offset >= self._start)

    def judge(self, offset: int, request: ActionRequest, at: datetime) -> Verdict:
        """Say what to do with the submission at `offset`, and remember it. Each submission is asked about once."""
        if offset in self._done:
            self._done.remove(offset)
            return Done(self.failure(offset))
        unfinished = self.unfinished(offset)
        if unfinished is not None:
            return unfinished
        self._recent.forget(at)
        request_id = identity(request)
        if request_id in self._recent:
            return RESUBMITTED
        self._recent.add(request_id, at)
        return FRESH

    def unfinished(self, offset: int) -> Unfinished | None:
        """What was begun of a submission and has not ended. It is told once."""
        return self._unfinished.pop(offset, None)

    def failure(self, offset: int) -> Outcome | None:
        """The final outcome of a submission that ended otherwise than in success. It is told once."""
        return self._failures.pop(offset, None)

    def _end(self, offset: int, outcome: Outcome) -> None:
        if outcome.final and outcome.outcome != "success":
            self._failures[offset] = outcome
        self._unfinished.pop(offset, None)
        self._waiting.end(offset)
        if offset >= self._start:
            self._done.add(offset)

    def _turn_breaker(self, outcome: Outcome) -> None:
        if outcome.action is Action.BREAKER_OPENED:
            self.opened_breakers[outcome.connector_id] = outcome
        elif outcome.action is Action.BREAKER_CLOSED:
            self.opened_breakers.pop(outcome.connector_id, None)


def _after(unfinished: Unfinished, outcome: Outcome) -> Unfinished:
    """A start may stand twice: it was written again when the broker's answer was lost."""
    others = tuple(each for each in unfinished.begun if each.execution_id != outcome.execution_id)
    known = replace(
        unfinished,
        attempts=max(unfinished.attempts, outcome.attempt),
        possible_duplicate=unfinished.possible_duplicate or outcome.possible_duplicate,
    )
    match outcome.action:
        case Action.EXECUTE_START:
            return replace(known, begun=(*others, outcome), retry_at=None, unscheduled=None)
        case Action.RETRY_SCHEDULED:
            return replace(known, retry_at=outcome.retry_at, unscheduled=None)
        case Action.EXECUTE | Action.EXECUTE_TIMEOUT:
            unscheduled = outcome if outcome.retry_at else None
            return replace(known, begun=others, retry_at=outcome.retry_at, unscheduled=unscheduled)
        case _:
            return known
