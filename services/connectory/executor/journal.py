"""The one writer of an executor's outcomes.

Records that come up while a write is under way go out together in the next one, those of all partitions: a busy
executor pays for one broker round trip a batch, and an idle one waits for nobody.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import NoReturn

from connectory.domain import outcomes
from connectory.domain.errors import Unavailable
from connectory.domain.execution import Outcome
from connectory.infra.log import MAX_RECORD_BYTES, Message, Position, Writer, check_sizes, record_size
from connectory.infra.messages import Messages
from connectory.infra.topics import ACTION_OUTCOMES

RETRY_SECONDS = 0.5
MAX_BATCH = 2000

BUSY = 16
"""Records in a write from which on more are waited for before the next one."""

GATHER_SECONDS = 0.005
"""How long. A round trip costs about the same for one record and for a hundred; a few milliseconds are not noticed by
requests that come in hundreds, and those that come alone do not wait at all."""

log = logging.getLogger(__name__)


class OutcomeJournal:
    """Writes while `run` runs.

    While the broker is away it keeps what it has and tries again: results that are known must not be lost by ending.
    A batch tried twice may stand twice on the topic; readers know outcomes by execution id and action.
    """

    def __init__(self, writer: Writer, messages: Messages) -> None:
        self._writer = writer
        self._messages = messages
        self._pending: list[tuple[Message | None, Callable[[], None] | None]] = []
        self._work = asyncio.Event()
        self._ends: dict[int, int] = {}

    def outcomes_end(self, partition: int) -> int:
        """The offset after the last acknowledged outcome of a partition that was `begun`."""
        return self._ends[partition]

    def begin(self, partition: int, outcomes_end: int) -> None:
        """Take over a partition whose outcomes end there."""
        self._ends[partition] = outcomes_end

    def record(self, outcome: Outcome, acknowledged: Callable[[], None] | None = None) -> None:
        """Write an outcome soon, on the partition of its request; call `acknowledged` when the broker has it."""
        message = self._message(outcome)
        if record_size(message) > MAX_RECORD_BYTES:  # a target's answer stands in it, or a source of any length
            message = self._message(outcomes.shortened(outcome))
        self._append(message, acknowledged)

    def write(self, message: Message, acknowledged: Callable[[], None] | None = None) -> None:
        """Write any record in line with the outcomes. Raises `MessageTooLarge` here, where it costs this one only."""
        check_sizes([message])
        self._append(message, acknowledged)

    def recorded(self, outcome: Outcome) -> asyncio.Future[None]:
        """Write an outcome; the future is done when the broker has it."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.record(outcome, partial(_end, done))
        return done

    async def flushed(self) -> None:
        """Return when all that was handed in until now is acknowledged."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._append(None, partial(_end, done))
        await done

    async def run(self) -> NoReturn:
        """Write until cancelled."""
        while True:
            await self._work.wait()
            batch, self._pending = self._pending[:MAX_BATCH], self._pending[MAX_BATCH:]
            if not self._pending:
                self._work.clear()
            self._note(await self._written([message for message, _ in batch if message is not None]))
            for _, acknowledged in batch:
                if acknowledged is not None:
                    acknowledged()
            if len(batch) >= BUSY:
                await asyncio.sleep(GATHER_SECONDS)

    def _append(self, message: Message | None, acknowledged: Callable[[], None] | None) -> None:
        self._pending.append((message, acknowledged))
        self._work.set()

    def _message(self, outcome: Outcome) -> Message:
        partition = outcome.position.partition
        return self._messages.message(
            ACTION_OUTCOMES, outcome.connector_id, outcome, at=outcome.at, partition=partition
        )

    async def _written(self, batch: Sequence[Message]) -> Sequence[Position]:
        while batch:
            try:
                return await self._writer.write(batch)
            except Unavailable as error:
                log.warning("%d records of the executor wait for the broker: %s", len(batch), error)
                await asyncio.sleep(RETRY_SECONDS)
        return ()

    def _note(self, positions: Sequence[Position]) -> None:
        for topic, partition, offset in positions:
            if topic == ACTION_OUTCOMES and offset >= self._ends.get(partition, 0):
                self._ends[partition] = offset + 1


def _end(future: asyncio.Future[None]) -> None:
    """Whoever waited may have been cancelled meanwhile."""
    if not future.done():
        future.set_result(None)
