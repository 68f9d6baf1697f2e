"""The requests that wait on the retry topics of a partition, and the records in which they do."""

import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import timedelta
from typing import Final

from connectory.domain.errors import Undecodable
from connectory.domain.execution import WaitingRequest
from connectory.infra.log import Log
from connectory.infra.messages import Messages
from connectory.infra.topics import RETRY_TOPICS

FETCH_SECONDS = 1.0
SHORTEST: Final = min(RETRY_TOPICS.values())
"""A wait below this stays in memory."""

log = logging.getLogger(__name__)


class Waiting:
    """The step that counts, by the offset at which a request was read first.

    A request may stand on the retry topics more than once: an executor that was stopped between the write and its
    commit made the next one write again. One record counts, that of the last step, and once.
    """

    def __init__(self) -> None:
        self._steps: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._steps)

    def __contains__(self, offset: int) -> bool:
        return offset in self._steps

    def __iter__(self) -> Iterator[int]:
        return iter(self._steps)

    def put(self, offset: int, step: int) -> None:
        if step > self._steps.get(offset, 0):
            self._steps[offset] = step

    def take(self, offset: int, step: int) -> bool:
        """Whether the record of that step is the one that counts. It is taken then, and no other counts."""
        if self._steps.get(offset) != step:
            return False
        del self._steps[offset]
        return True

    def end(self, offset: int) -> None:
        """The request has its final outcome: no record of it counts."""
        self._steps.pop(offset, None)


async def read_waiting(
    log_: Log, messages: Messages, partition: int, starts: Mapping[str, int]
) -> AsyncIterator[WaitingRequest]:
    """Every record on the retry topics from `starts` (by topic) to their ends as of now."""
    for topic, start in starts.items():
        async with log_.tail(topic, partition, start) as tail:
            end = await tail.end_offset()
            while tail.position < end:
                for record in await tail.fetch(FETCH_SECONDS):
                    try:
                        yield messages.decode(record.value, WaitingRequest)
                    except Undecodable as error:
                        log.warning("passed over a record at %s/%d/%d: %s", *record[:3], error)


def retry_topic(wait: timedelta) -> str:
    """The topic with the longest stay that is not longer than the wait, which is at least `SHORTEST`."""
    return max((stay, topic) for topic, stay in RETRY_TOPICS.items() if stay <= wait)[1]
