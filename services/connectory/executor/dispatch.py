"""Which request runs next: queues by connector, served round-robin, each with a bound on what is in flight."""

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

J = TypeVar("J")


@dataclass(slots=True)
class _Lane(Generic[J]):
    """The requests of one connector. `queued` is true while the connector stands in the round."""

    waiting: deque[J] = field(default_factory=deque)
    in_flight: int = 0
    queued: bool = False


class Dispatcher(Generic[J]):
    """A pure structure: it starts nothing itself. A connector's requests are taken in the order they were added."""

    def __init__(self, in_flight_per_connector: int) -> None:
        self._limit = in_flight_per_connector
        self._lanes: dict[str, _Lane[J]] = {}
        self._round: deque[str] = deque()

    def __len__(self) -> int:
        """How many wait."""
        return sum(len(lane.waiting) for lane in self._lanes.values())

    @property
    def is_runnable(self) -> bool:
        """Whether `take` would return a job."""
        return bool(self._round)

    def add(self, connector_id: str, job: J) -> None:
        lane = self._lanes.get(connector_id)
        if lane is None:
            lane = self._lanes[connector_id] = _Lane()
        lane.waiting.append(job)
        self._enqueue(connector_id, lane)

    def take(self) -> J | None:
        """The next job, counted as in flight until `release`; None when nothing may run now."""
        if not self._round:
            return None
        connector_id = self._round.popleft()
        lane = self._lanes[connector_id]
        lane.queued = False
        lane.in_flight += 1
        job = lane.waiting.popleft()
        self._enqueue(connector_id, lane)
        return job

    def release(self, connector_id: str) -> None:
        """One of the connector's jobs is no longer in flight."""
        lane = self._lanes[connector_id]
        lane.in_flight -= 1
        self._enqueue(connector_id, lane)
        if not lane.in_flight and not lane.waiting:
            del self._lanes[connector_id]

    def clear(self) -> None:
        """Forget what waits; what is in flight is still to be released."""
        self._round.clear()
        for lane in self._lanes.values():
            lane.waiting.clear()
            lane.queued = False

    def _enqueue(self, connector_id: str, lane: _Lane[J]) -> None:
        if lane.waiting and not lane.queued and lane.in_flight < self._limit:
            lane.queued = True
            self._round.append(connector_id)
