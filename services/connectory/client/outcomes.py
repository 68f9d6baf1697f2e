"""Reading outcomes from Kafka as they are written."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Literal, Self

from connectory.domain.errors import Unavailable, Undecodable
from connectory.domain.execution import Action, Outcome
from connectory.infra.log import Log, Record
from connectory.infra.messages import Messages
from connectory.infra.topics import ACTION_OUTCOMES

BEGINNING: Literal["beginning"] = "beginning"
NOW: Literal["now"] = "now"
Start = Literal["beginning", "now"] | datetime
"""Where reading starts: with the oldest record kept, with what comes from now on, or at a time."""

POLL_SECONDS = 0.5
AFTER_FAILURE_SECONDS = 1.0
WAITING_BATCHES = 8
"""Batches that wait for a slow reader before fetching pauses."""

logger = logging.getLogger(__name__)


class OutcomeConsumer:
    """An async iterator over the outcomes of all partitions: in order within a connector, not across connectors.

    Each consumer reads for itself, apart from all others. It goes on when the broker was away for a while. A record
    that cannot be decoded is reported to the log of the program and passed over.

        async with OutcomeConsumer.over(log) as outcomes:
            async for outcome in outcomes:
                print(outcome.request_id, outcome.outcome)
    """

    def __init__(self, log: Log, messages: Messages, places: Sequence[int], *, follow: bool, final_only: bool) -> None:
        self._log = log
        self._messages = messages
        self._final_only = final_only
        self._batches: asyncio.Queue[Sequence[Record]] = asyncio.Queue(WAITING_BATCHES)
        self._next: asyncio.Task[Sequence[Record]] | None = None
        self._ready: list[Outcome] = []
        self._reading = asyncio.create_task(self._read_all(places, follow))

    @classmethod
    @asynccontextmanager
    async def over(
        cls,
        log: Log,
        *,
        start: Start = NOW,
        follow: bool = True,
        final_only: bool = False,
        messages: Messages | None = None,
    ) -> AsyncIterator["OutcomeConsumer"]:
        """Open a consumer over a log that is already open.

        The place to start is settled before this returns: what is published afterwards is seen. Without `follow` the
        iteration stops at the end of the log as it was then. `final_only` leaves one outcome a request.
        `messages` matter with an external schema registry.
        """
        partitions = await log.partition_count(ACTION_OUTCOMES)
        places = [await _place(log, partition, start) for partition in range(partitions)]
        consumer = cls(log, messages or Messages(), places, follow=follow, final_only=final_only)
        try:
            yield consumer
        finally:
            await consumer._close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Outcome:
        while not self._ready:
            batch = await self._next_batch()
            if batch is None:
                raise StopAsyncIteration
            self._ready = [outcome for record in reversed(batch) if (outcome := self._decode(record)) is not None]
        return self._ready.pop()

    async def answers(self, request_ids: Iterable[str]) -> AsyncIterator[Outcome]:
        """Yield what becomes of each of these requests, as it becomes known, and end after the last.

        That is a request's final outcome, or that it was a duplicate of one that ran before. Without `follow` it ends
        where the log does.
        """
        waiting = set(request_ids)
        while waiting and (outcome := await anext(self, None)) is not None:
            if outcome.request_id in waiting and (outcome.final or outcome.action is Action.DUPLICATE):
                waiting.remove(outcome.request_id)
                yield outcome

    async def _next_batch(self) -> Sequence[Record] | None:
        """The next records, or None when all was read. A wait that is cancelled loses nothing."""
        if self._next is None:
            self._next = asyncio.create_task(self._batches.get())
        await asyncio.wait({self._next, self._reading}, return_when=asyncio.FIRST_COMPLETED)
        if not self._next.done():
            await self._reading
            return None
        batch, self._next = self._next.result(), None
        return batch

    def _decode(self, record: Record) -> Outcome | None:
        try:
            outcome = self._messages.decode(record.value, Outcome)
        except Undecodable as error:
            logger.warning("passed over %s[%d]@%d: %s", record.topic, record.partition, record.offset, error)
            return None
        return outcome if outcome.final or not self._final_only else None

    async def _read_all(self, places: Sequence[int], follow: bool) -> None:
        async with asyncio.TaskGroup() as readers:
            for partition, place in enumerate(places):
                readers.create_task(self._read(partition, place, follow))

    async def _read(self, partition: int, place: int, follow: bool) -> None:
        """Read one partition to its end, or for ever: from where it was after the broker was away."""
        end = None if follow else await _end(self._log, partition)
        while end is None or place < end:
            try:
                async with self._log.tail(ACTION_OUTCOMES, partition, place) as tail:
                    while end is None or place < end:
                        await self._hand_on(await tail.fetch(POLL_SECONDS))
                        place = tail.position
            except Unavailable as error:
                logger.warning("reading %s[%d] goes on soon: %s", ACTION_OUTCOMES, partition, error)
                await asyncio.sleep(AFTER_FAILURE_SECONDS)

    async def _hand_on(self, records: Sequence[Record]) -> None:
        if records:
            await self._batches.put(records)

    async def _close(self) -> None:
        tasks = {self._reading, *([self._next] if self._next else [])}
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _end(log: Log, partition: int) -> int:
    async with log.tail(ACTION_OUTCOMES, partition, 0) as tail:
        return await tail.end_offset()


async def _place(log: Log, partition: int, start: Start) -> int:
    match start:
        case "beginning":
            return await log.beginning_offset(ACTION_OUTCOMES, partition)
        case "now":
            return await _end(log, partition)
        case datetime():
            return await log.offset_at(ACTION_OUTCOMES, partition, int(start.timestamp() * 1000))
