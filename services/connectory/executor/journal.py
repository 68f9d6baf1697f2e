"""The one writer of a partition's outcomes.

Records that come up while a write is under way go out together in the next one, so that a busy partition pays for one
broker round trip a batch and an idle one waits for nobody.
"""

import asyncio
import logging
from collections.abc import Callable

from connectory.domain.errors import Unavailable
from connectory.domain.execution import Outcome
from connectory.infra.log import Message, Writer
from connectory.infra.messages import Messages
from connectory.infra.topics import ACTION_OUTCOMES

RETRY_SECONDS = 0.5
MAX_BATCH = 2000

log = logging.getLogger(__name__)


class OutcomeJournal:
    """`outcomes_end` is the offset after the last acknowledged outcome of the partition.

    While the broker is away the journal keeps what it has and tries again: results that are known must not be lost by
    ending. A batch tried twice may stand twice on the topic; readers know outcomes by execution id and action.
    """

    def __init__(self, writer: Writer, messages: Messages, partition: int, outcomes_end: int) -> None:
        self._writer = writer
        self._messages = messages
        self._partition = partition
        self._pending: list[tuple[Message, Callable[[], None] | None]] = []
        self._work = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.outcomes_end = outcomes_end

    def record(self, outcome: Outcome, acknowledged: Callable[[], None] | None = None) -> None:
        """Write an outcome soon; call `acknowledged` when the broker has it."""
        message = self._messages.message(
            ACTION_OUTCOMES, outcome.connector_id, outcome, at=outcome.at, partition=self._partition
        )
        self.write(message, acknowledged)

    def write(self, message: Message, acknowledged: Callable[[], None] | None = None) -> None:
        """Write any record in line with the outcomes."""
        self._pending.append((message, acknowledged))
        self._idle.clear()
        self._work.set()

    async def recorded(self, outcome: Outcome) -> None:
        """Write an outcome and return when the broker has it."""
        done = asyncio.Event()
        self.record(outcome, done.set)
        await done.wait()

    async def flushed(self) -> None:
        """Return when all that was handed in is acknowledged."""
        await self._idle.wait()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._work.wait()
            batch, self._pending = self._pending[:MAX_BATCH], self._pending[MAX_BATCH:]
            if not self._pending:
                self._work.clear()
            await self._write([message for message, _ in batch])
            for _, acknowledged in batch:
                if acknowledged is not None:
                    acknowledged()
            if not self._pending:
                self._idle.set()

    async def _write(self, batch: list[Message]) -> None:
        while True:
            try:
                positions = await self._writer.write(batch)
            except Unavailable as error:
                log.warning("%d outcomes of partition %d wait for the broker: %s", len(batch), self._partition, error)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            ends = [position.offset for position in positions if position.topic == ACTION_OUTCOMES]
            self.outcomes_end = max([self.outcomes_end, *(offset + 1 for offset in ends)])
            return
