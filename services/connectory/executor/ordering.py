"""Which request with an ordering key may run: of one connector and key, the first that has no final outcome.

Requests are known by the offset at which they were read first. All that have no final outcome are remembered by it,
also those that wait on a retry topic, so that what comes after them waits too.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import TypeAlias

from connectory.executor.jobs import Job

Key: TypeAlias = tuple[str, str]


class KeyOrder:
    """`known_to` is the offset up to which the requests of the partition have been read and entered.

    A request that lies further on may come in first, from a retry topic after a restart: until reading has passed its
    offset there may be one before it.
    """

    def __init__(self, known_to: int) -> None:
        self.known_to = known_to
        self._unfinished: dict[Key, list[int]] = {}
        self._held: dict[int, Job] = {}
        self._ahead: set[int] = set()

    def enter(self, connector_id: str, key: str, offset: int) -> None:
        """Remember a request that has no final outcome. Once more does no harm."""
        offsets = self._unfinished.setdefault((connector_id, key), [])
        place = bisect_left(offsets, offset)
        if place == len(offsets) or offsets[place] != offset:
            insort(offsets, offset)

    def read(self, job: Job) -> None:
        """A request was read, in order of offset."""
        self.known_to = job.position.offset + 1
        if job.request.ordering_key is not None:
            self.enter(job.request.connector_id, job.request.ordering_key, job.position.offset)

    def holds_back(self, job: Job) -> bool:
        """Whether another has to end first; then the job is kept here until it is its turn."""
        offset = job.position.offset
        if offset < self.known_to and self._unfinished[_key(job)][0] == offset:
            return False
        self._held[offset] = job
        if offset >= self.known_to:
            self._ahead.add(offset)
        return True

    def leave(self, job: Job) -> Job | None:
        """The job has its final outcome: return the one whose turn it is, if it is here."""
        key = _key(job)
        offsets = self._unfinished[key]
        offsets.remove(job.position.offset)
        if not offsets:
            del self._unfinished[key]
            return None
        return self._its_turn(offsets[0])

    def read_to(self, offset: int) -> Iterator[Job]:
        """Reading has come to `offset`: return those that waited for that, and whose turn it is."""
        self.known_to = offset
        for each in [ahead for ahead in self._ahead if ahead < offset]:
            self._ahead.discard(each)
            job = self._held.get(each)
            if job is not None and self._unfinished[_key(job)][0] == each:
                yield self._held.pop(each)

    def held(self) -> list[Job]:
        """Those held back, in the order in which they were first read."""
        return [self._held[offset] for offset in sorted(self._held)]

    def let_go(self, job: Job) -> None:
        """The job goes to a retry topic. Its place in the order stays."""
        self._held.pop(job.position.offset, None)
        self._ahead.discard(job.position.offset)

    def _its_turn(self, offset: int) -> Job | None:
        return self._held.pop(offset, None) if offset < self.known_to else None


def _key(job: Job) -> Key:
    assert job.request.ordering_key is not None
    return job.request.connector_id, job.request.ordering_key
