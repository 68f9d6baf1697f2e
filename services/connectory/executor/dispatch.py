"""Which request runs next: queues by lane, served round-robin, each with a bound on what is in flight."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

J = TypeVar("J")
K = TypeVar("K")


@dataclass(slots=True)
class _Lane(Generic[J]):
    """`in_round` is true while the lane stands in the round, `blocked` while it may not."""

    waiting: deque[J] = field(default_factory=deque)
    in_flight: int = 0
    in_round: bool = False
    blocked: bool = False


class Dispatcher(Generic[K, J]):
    """A pure structure: it starts nothing itself. A lane's jobs are taken in the order they were added.

    `limit` says how many jobs of a lane may be in flight. No lane takes more places than it leaves free (dynamic
    thresholds, as switches share their buffers by), and the last `reserve` places are for lanes that have none: so
    lanes whose targets never answer, also when they come one after the other, leave places to the others.
    """

    def __init__(self, limit: Callable[[K], int], reserve: int = 0) -> None:
        self._limit = limit
        self._reserve = reserve
        self._lanes: dict[K, _Lane[J]] = {}
        self._round: deque[K] = deque()

    def __len__(self) -> int:
        """How many wait."""
        return sum(len(lane.waiting) for lane in self._lanes.values())

    @property
    def is_runnable(self) -> bool:
        """Whether some lane has a job that its own limit lets run."""
        return bool(self._round)

    def add(self, key: K, job: J) -> None:
        lane = self._lane(key)
        lane.waiting.append(job)
        self._enter_round(key, lane)

    def take(self, free: int) -> J | None:
        """The next job, counted as in flight until `release`; None when nothing may run now.

        `free` is how many places there are for all lanes, this one included.
        """
        for _ in range(len(self._round)):
            key = self._round.popleft()
            lane = self._lanes[key]
            if lane.in_flight == 0 or lane.in_flight < free - self._reserve:
                lane.in_round = False
                lane.in_flight += 1
                job = lane.waiting.popleft()
                self._enter_round(key, lane)
                return job
            self._round.append(key)
        return None

    def release(self, key: K) -> None:
        """One of the lane's jobs is no longer in flight."""
        lane = self._lanes[key]
        lane.in_flight -= 1
        self._enter_round(key, lane)
        self._drop_if_idle(key, lane)

    def put_back(self, key: K, job: J) -> None:
        """A job that was taken is not in flight after all: it is first in its lane again, and the lane is blocked."""
        lane = self._lanes[key]
        lane.in_flight -= 1
        lane.waiting.appendleft(job)
        self._leave_round(key, lane)
        lane.blocked = True

    def unblock(self, key: K) -> None:
        lane = self._lanes.get(key)
        if lane is not None and lane.blocked:
            lane.blocked = False
            self._enter_round(key, lane)
            self._drop_if_idle(key, lane)

    def waiting(self, key: K) -> list[J]:
        """What waits in the lane, in its order."""
        lane = self._lanes.get(key)
        return [] if lane is None else list(lane.waiting)

    def withdraw(self, key: K, keep: int) -> list[J]:
        """Take out what waits in the lane but for the first `keep`, the newest last."""
        lane = self._lanes.get(key)
        if lane is None or len(lane.waiting) <= keep:
            return []
        jobs = list(lane.waiting)
        lane.waiting = deque(jobs[:keep])
        if not keep:
            self._leave_round(key, lane)
        self._drop_if_idle(key, lane)
        return jobs[keep:]

    def extract(self, wanted: Callable[[J], bool]) -> list[J]:
        """Take out those that wait and are wanted."""
        found: list[J] = []
        for key, lane in list(self._lanes.items()):
            out = [job for job in lane.waiting if wanted(job)]
            if out:
                found.extend(out)
                lane.waiting = deque(job for job in lane.waiting if not wanted(job))
                if not lane.waiting:
                    self._leave_round(key, lane)
                self._drop_if_idle(key, lane)
        return found

    def heads(self) -> Iterator[tuple[K, J]]:
        """Each lane in which jobs wait, with the first of them."""
        for key, lane in list(self._lanes.items()):
            if lane.waiting:
                yield key, lane.waiting[0]

    def counts(self) -> Iterator[tuple[K, int, int]]:
        """Each lane with how many jobs wait in it, and how many are in flight."""
        for key, lane in self._lanes.items():
            yield key, len(lane.waiting), lane.in_flight

    def clear(self) -> None:
        """Forget what waits; what is in flight is still to be released."""
        self._round.clear()
        for lane in self._lanes.values():
            lane.waiting.clear()
            lane.in_round = False

    def _lane(self, key: K) -> _Lane[J]:
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane()
        return lane

    def _enter_round(self, key: K, lane: _Lane[J]) -> None:
        if lane.waiting and not lane.in_round and not lane.blocked and lane.in_flight < self._limit(key):
            lane.in_round = True
            self._round.append(key)

    def _leave_round(self, key: K, lane: _Lane[J]) -> None:
        if lane.in_round:
            lane.in_round = False
            self._round.remove(key)

    def _drop_if_idle(self, key: K, lane: _Lane[J]) -> None:
        if not lane.in_flight and not lane.waiting and not lane.blocked:
            del self._lanes[key]
