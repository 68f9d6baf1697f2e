"""The requests that wait on the retry topics of a partition, and the records in which they do."""

import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypeAlias

from connectory.domain.errors import Undecodable
from connectory.domain.execution import WaitingRequest
from connectory.infra.log import Log
from connectory.infra.messages import Messages
from connectory.infra.topics import RETRY_TOPICS

FETCH_SECONDS = 1.0
SHORTEST: Final = min(RETRY_TOPICS.values())
"""A wait below this stays in memory."""

_Mark: TypeAlias = tuple[int, int, datetime]

log = logging.getLogger(__name__)


class Waiting:
    """The record that counts, by the offset at which its request was read first.

    A request may stand on the retry topics more than once: an executor that was stopped between the write and its
    commit made the next one write again, and one that slept through its replacement writes still. One record counts,
    that of the last attempt and step, and once.
    """

    def __init__(self) -> None:
        self._records: dict[int, _Mark] = {}

    def __len__(self) -> int:
        return len(self._records)

    def __contains__(self, offset: int) -> bool:
        return offset in self._records

    def __iter__(self) -> Iterator[int]:
        return iter(self._records)

    def due_times(self) -> Iterator[datetime]:
        return (due_at for _, _, due_at in self._records.values())

    def put(self, waiting: WaitingRequest) -> None:
        offset, mark = waiting.position.offset, _mark_of(waiting)
        if offset not in self._records or mark > self._records[offset]:
            self._records[offset] = mark

    def take(self, waiting: WaitingRequest) -> bool:
        """Whether this record is the one that counts. It is taken then, and no other counts."""
        if self._records.get(waiting.position.offset) != _mark_of(waiting):
            return False
        del self._records[waiting.position.offset]
        return True

    def end(self, offset: int) -> None:
        """The request has its final outcome: no record of it counts."""
        self._records.pop(offset, None)


def _mark_of(waiting: WaitingRequest) -> _Mark:
    """A step alone would not tell two owners' records apart: each counts on from what it knows."""
    return waiting.attempts, waiting.step, waiting.due_at


class WaitingRecord(NamedTuple):
    """A record of a retry topic; `written_at_ms` is its time there."""

    waiting: WaitingRequest
    written_at_ms: int


async def read_waiting(
    log_: Log, messages: Messages, partition: int, starts: Mapping[str, int]
) -> AsyncIterator[WaitingRecord]:
    """Every record on the retry topics from `starts` (by topic) to their ends as of now."""
    for topic, start in starts.items():
        async with log_.tail(topic, partition, start) as tail:
            end = await tail.end_offset()
            while tail.position < end:
                for record in await tail.fetch(FETCH_SECONDS):
                    try:
                        yield WaitingRecord(messages.decode(record.value, WaitingRequest), record.timestamp_ms)
                    except Undecodable as error:
                        log.warning("passed over a record at %s/%d/%d: %s", *record[:3], error)


def retry_topic(wait: timedelta) -> str:
    """The topic with the longest stay that is not longer than the wait, which is at least `SHORTEST`."""
    return max((stay, topic) for topic, stay in RETRY_TOPICS.items() if stay <= wait)[1]
