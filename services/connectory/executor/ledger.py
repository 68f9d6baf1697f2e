"""What the outcomes of a partition tell a new owner about the requests that it will read again.

The ledger is the outcome topic itself: nothing else is written down. Requests are known by their position (one
submission) and by their id (all submissions of one request).
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectory.domain.execution import Action, ActionRequest, Outcome

GENERATIONS = 12


@dataclass(frozen=True, slots=True)
class Fresh:
    """Not seen before: run it."""


@dataclass(frozen=True, slots=True)
class Done:
    """This very submission has its outcome: skip it."""


@dataclass(frozen=True, slots=True)
class Resubmitted:
    """Another submission of the same id was accepted within the window: do not run it."""


@dataclass(frozen=True, slots=True)
class InDoubt:
    """This submission was begun and has no final outcome.

    `begun` are its attempts without an end, oldest first. It may be empty: then a former owner closed and marked them,
    and stopped before it began the next one. `attempts` counts all that were made.
    """

    begun: tuple[Outcome, ...]
    attempts: int


Verdict = Fresh | Done | Resubmitted | InDoubt

FRESH = Fresh()
DONE = Done()
RESUBMITTED = Resubmitted()
NOTHING_BEGUN = InDoubt((), 0)


def identity(of: ActionRequest | Outcome) -> str:
    """What makes two submissions the same request: publishers know of each other's ids only within a connector.

    Ids may hold any character, so lengths and not a separator keep them apart.
    """
    return f"{len(of.space_id)}.{len(of.connector_id)}.{of.space_id}{of.connector_id}{of.request_id}"


class RecentIds:
    """Request ids of the last `window`, forgotten a generation (a twelfth of the window) at a time."""

    def __init__(self, window: timedelta) -> None:
        self._window = window
        self._generations: deque[tuple[datetime, set[str]]] = deque()

    def __contains__(self, request_id: str) -> bool:
        return any(request_id in ids for _, ids in self._generations)

    def add(self, request_id: str, at: datetime) -> None:
        if not self._generations or at - self._generations[-1][0] >= self._window / GENERATIONS:
            self.forget(at)
            self._generations.append((at, set()))
        self._generations[-1][1].add(request_id)

    def forget(self, now: datetime) -> None:
        """Let go of what is older than the window. Before asking: where little comes, adding forgets too seldom."""
        while self._generations and now - self._generations[0][0] > self._window + self._window / GENERATIONS:
            self._generations.popleft()


class Ledger:
    """Fed with the partition's outcomes in order, then asked about each request as it is read.

    Only positions at or after `committed_offset` are remembered one by one: earlier requests are not read again.
    """

    def __init__(self, topic: str, committed_offset: int, window: timedelta) -> None:
        self._topic = topic
        self._committed_offset = committed_offset
        self._done: set[int] = set()
        self._unfinished: dict[int, InDoubt] = {}
        self._recent = RecentIds(window)

    def absorb(self, outcome: Outcome) -> None:
        """Take in one outcome. A `duplicate` closes its own submission and says nothing about the others."""
        if outcome.action is not Action.DUPLICATE:
            self._recent.add(identity(outcome), outcome.at)
        offset = outcome.position.offset
        if outcome.position.topic != self._topic or offset < self._committed_offset:
            return
        if outcome.final or outcome.action is Action.DUPLICATE:
            self._done.add(offset)
            self._unfinished.pop(offset, None)
        else:
            self._unfinished[offset] = _after(self._unfinished.get(offset, NOTHING_BEGUN), outcome)

    def judge(self, offset: int, request: ActionRequest, at: datetime) -> Verdict:
        """Say what to do with the submission at `offset`, and remember it. Each submission is asked about once."""
        if offset in self._done:
            self._done.remove(offset)
            return DONE
        unfinished = self._unfinished.pop(offset, None)
        if unfinished is not None:
            return unfinished
        self._recent.forget(at)
        request_id = identity(request)
        if request_id in self._recent:
            return RESUBMITTED
        self._recent.add(request_id, at)
        return FRESH


def _after(unfinished: InDoubt, outcome: Outcome) -> InDoubt:
    """A start may stand twice: it was written again when the broker's answer was lost."""
    attempts = max(unfinished.attempts, outcome.attempt)
    others = tuple(each for each in unfinished.begun if each.execution_id != outcome.execution_id)
    return InDoubt((*others, outcome) if outcome.action is Action.EXECUTE_START else others, attempts)
