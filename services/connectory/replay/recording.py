"""Reads the requests of a span of time from the log, each once."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, NamedTuple, TypeAlias

from connectory.domain.errors import Undecodable
from connectory.domain.execution import ActionRequest
from connectory.infra.log import Log, Record, read_until
from connectory.infra.messages import Messages, read_traceparent
from connectory.infra.topics import ACTION_REQUESTS

OUT_OF_ORDER: Final = timedelta(minutes=5)
"""Publishers set the times of records, and their clocks differ: so far behind later ones a record is still found."""

LeftOut: TypeAlias = Literal["direct", "repeat", "duplicate", "undecodable", "too_large"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Requests published at or after `from_` and before `to`; of one connector, if one is given."""

    from_: datetime
    to: datetime
    connector_id: str | None = None


class Recorded(NamedTuple):
    """A request as it was published."""

    request: ActionRequest
    traceparent: str | None


class Recording:
    """The requests of a span, partition by partition, in the order of the log.

    Left out, and counted in `left_out`, are: direct requests, whose caller has long gone; requests that repeat others,
    by a redrive or a replay, as those stand on the log themselves; records of a request that has been read already;
    and what cannot be read.
    """

    def __init__(self, log: Log, messages: Messages, span: Span) -> None:
        self._log = log
        self._messages = messages
        self._span = span
        self._known: set[int] = set()
        self.left_out: Counter[LeftOut] = Counter()

    async def batches(self) -> AsyncIterator[Sequence[Recorded]]:
        """Up to the end of the log as it is now. Raises `Unavailable`."""
        ends = [await self._end(each) for each in range(await self._log.partition_count(ACTION_REQUESTS))]
        for partition, end in enumerate(ends):
            async for records in read_span(self._log, partition, self._span.from_, end):
                yield [each for record in records if (each := self._recorded(record)) is not None]

    async def _end(self, partition: int) -> int:
        return await self._log.offset_at(ACTION_REQUESTS, partition, milliseconds(self._span.to + OUT_OF_ORDER))

    def _recorded(self, record: Record) -> Recorded | None:
        if not milliseconds(self._span.from_) <= record.timestamp_ms < milliseconds(self._span.to):
            return None
        try:
            request = self._messages.decode(record.value, ActionRequest)
        except Undecodable:
            self.left_out["undecodable"] += 1
            return None
        if self._span.connector_id not in (None, request.connector_id):
            return None
        reason = self._reason_to_leave_out(request)
        if reason is not None:
            self.left_out[reason] += 1
            return None
        return Recorded(request, read_traceparent(record.headers))

    def _reason_to_leave_out(self, request: ActionRequest) -> LeftOut | None:
        if request.is_direct:
            return "direct"
        if request.redrive_of is not None:
            return "repeat"
        identity = hash((request.connector_id, request.request_id))
        if identity in self._known:
            return "duplicate"
        self._known.add(identity)
        return None


async def read_span(log: Log, partition: int, start: datetime, end: int) -> AsyncIterator[Sequence[Record]]:
    """The requests of a partition from a time on, up to an offset."""
    first = await log.offset_at(ACTION_REQUESTS, partition, milliseconds(start))
    if first >= end:
        return
    async with log.tail(ACTION_REQUESTS, partition, first) as tail:
        async for records in read_until(tail, end):
            yield records


def milliseconds(moment: datetime) -> int:
    """Unix time, as records carry it."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
