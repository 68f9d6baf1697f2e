"""The records that a partition has taken and not passed: they fill its windows, and hold up the group's progress."""

import logging

from connectory.domain.errors import Fenced, Unavailable
from connectory.executor.jobs import Source
from connectory.executor.journal import OutcomeJournal
from connectory.executor.progress import Progress
from connectory.executor.takeover import Takeover
from connectory.executor.window import Window
from connectory.infra.log import Committed, Record, Share
from connectory.infra.topics import ACTION_REQUESTS, RETRY_TOPICS

log = logging.getLogger(__name__)


class TakenRecords:
    """`fresh` is the window of the topic of requests, `resumed` that of the retry topics: none holds up the other."""

    def __init__(
        self, share: Share, journal: OutcomeJournal, takeover: Takeover, window_requests: int, window_bytes: int
    ) -> None:
        self._share = share
        self._journal = journal
        self._takeover = takeover
        self._progress = {topic: Progress(start) for topic, start in takeover.starts.items()}
        self._committed: dict[str, Committed] = {}
        self.fresh = Window(window_requests, window_bytes)
        self.resumed = Window(window_requests, window_bytes)

    @property
    def is_tight(self) -> bool:
        """Whether one of the windows is getting full."""
        return self.fresh.is_tight or self.resumed.is_tight

    @property
    def read_to(self) -> int:
        """The offset after the last request that was taken."""
        return self._progress[ACTION_REQUESTS].next_offset

    def take(self, record: Record) -> Source:
        source = Source(record.topic, record.offset, len(record.value or b""))
        self._window_of(source).take(source.size)
        self._progress[record.topic].begin(record.offset, self._ledger_from(record.topic, record.offset))
        return source

    def let_pass(self, source: Source) -> None:
        """The record is done with."""
        self._progress[source.topic].done(source.offset)
        self._window_of(source).give(source.size)

    def retry_starts(self) -> dict[str, int]:
        """Where the first record lies on each retry topic that is not passed."""
        return {topic: self._progress[topic].committable(0).offset for topic in RETRY_TOPICS}

    def close(self) -> None:
        """Nothing more is to be read."""
        self.fresh.close()
        self.resumed.close()

    async def commit(self) -> None:
        """Record the group's progress where it has changed; what cannot be recorded now is so the next time."""
        reached = {
            topic: progress.committable(self._ledger_from(topic, progress.next_offset))
            for topic, progress in self._progress.items()
        }
        news = {topic: place for topic, place in reached.items() if place != self._committed.get(topic)}
        if not news:
            return
        try:
            await self._share.commit(news)
            self._committed.update(news)
        except Fenced:
            log.info("partition %d has a new owner; its progress is read from the ledger", self._share.index)
        except Unavailable as error:
            log.warning("the progress of partition %d is committed later: %s", self._share.index, error)

    def _ledger_from(self, topic: str, offset: int) -> int:
        """Where outcomes begin of the request there and of those after it. A former owner may have run some of them."""
        if topic == ACTION_REQUESTS and offset < self._takeover.ledger.read_before:
            return self._takeover.ledger_from
        return self._journal.outcomes_end(self._share.index)

    def _window_of(self, source: Source) -> Window:
        return self.fresh if source.topic == ACTION_REQUESTS else self.resumed
