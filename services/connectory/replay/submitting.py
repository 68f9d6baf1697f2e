"""Publishes recorded requests again, as new ones."""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from connectory.domain.errors import MessageTooLarge, Undecodable
from connectory.domain.execution import ActionRequest
from connectory.domain.repeats import repeat
from connectory.infra.clock import Clock
from connectory.infra.log import END_OF_TIME_MS, Log, Message, Writer, check_sizes
from connectory.infra.messages import Messages
from connectory.infra.pace import Pace
from connectory.infra.topics import ACTION_REQUESTS
from connectory.replay.recording import OUT_OF_ORDER, LeftOut, Recorded, read_span
from connectory.replay.runs import ReplayRun

BATCH: Final = 500


@dataclass(slots=True, kw_only=True)
class Submission:
    """Publishes for one run. `published` are the ids that it has published before it was cut off.

    `left_out` counts those that no longer fit the log: a repetition names what it repeats.
    """

    run: ReplayRun
    writer: Writer
    messages: Messages
    clock: Clock
    pace: Pace
    published: Collection[str] = ()
    skipped: int = field(default=0, init=False)
    left_out: Counter[LeftOut] = field(default_factory=Counter, init=False)

    async def submit(self, recorded: Sequence[Recorded]) -> AsyncIterator[Sequence[ActionRequest]]:
        """Publish in order; yields each batch once it is on the log. Raises `Unavailable`: then resume the run."""
        wanted = [each for each in recorded if self.run.request_id(each.request) not in self.published]
        self.skipped += len(recorded) - len(wanted)
        size = self.pace.batch(BATCH)
        for start in range(0, len(wanted), size):
            batch = wanted[start : start + size]
            await self.pace.wait(len(batch))
            yield await self._publish(batch)

    async def _publish(self, batch: Sequence[Recorded]) -> Sequence[ActionRequest]:
        ready = [each for recorded in batch if (each := self._repetition(recorded)) is not None]
        if ready:
            await self.writer.write([message for _, message in ready])
        return [request for request, _ in ready]

    def _repetition(self, recorded: Recorded) -> tuple[ActionRequest, Message] | None:
        now = self.clock()
        request = repeat(recorded.request, self.run.request_id(recorded.request), now)
        message = self.messages.message(
            ACTION_REQUESTS, request.connector_id, request, at=now, traceparent=recorded.traceparent
        )
        try:
            check_sizes([message])
        except MessageTooLarge:
            self.left_out["too_large"] += 1
            return None
        return request, message


async def published_by(run: ReplayRun, log: Log, messages: Messages) -> set[str]:
    """The ids of all requests that repeat others and were published since the run began, its own among them."""
    found: set[str] = set()
    for partition in range(await log.partition_count(ACTION_REQUESTS)):
        end = await log.offset_at(ACTION_REQUESTS, partition, END_OF_TIME_MS)
        async for records in read_span(log, partition, run.started_at - OUT_OF_ORDER, end):
            for record in records:
                try:
                    request = messages.decode(record.value, ActionRequest)
                except Undecodable:
                    continue
                if request.redrive_of is not None:
                    found.add(request.request_id)
    return found
