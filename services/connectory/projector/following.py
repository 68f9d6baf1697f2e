"""Follows the log: one member of a projection's consumer group, which applies its partitions to the store."""

import asyncio
import logging
from typing import Final

from connectory.domain.errors import Refused, Unavailable
from connectory.infra.log import END_OF_TIME_MS, Committed, Log, Share
from connectory.projector.applying import Applier, Revoked
from connectory.projector.ports import Decoder, RowStore
from connectory.projector.reading import RecordReader
from connectory_projections.model import AnyProjection

BATCH_RECORDS: Final = 2_000
POLL_SECONDS: Final = 1.0

COMMIT_EVERY_SECONDS: Final = 5.0
"""The group's offsets only show the lag to monitoring; where to go on stands with the rows."""

GROUP_PREFIX: Final = "projector-"

log = logging.getLogger(__name__)


async def follow(log: Log, messages: Decoder, store: RowStore, projection: AnyProjection) -> None:
    """Be a member of the projection's group until cancelled.

    Raises `Fenced` when another instance has taken over a partition, and `Unavailable` when the broker is away:
    then follow anew.
    """
    reader = RecordReader(projection, messages)

    async def serve(share: Share) -> None:
        applier = Applier(store, projection, reader, share.index, share.revoked)
        try:
            await _serve(log, share, projection.topic, applier)
        except Revoked:
            return

    await log.join(GROUP_PREFIX + projection.name, [projection.topic], serve)


async def _serve(log: Log, share: Share, topic: str, applier: Applier) -> None:
    offset = await applier.next_offset()
    share.start({topic: await _readable(log, topic, share.index, offset)})
    committing = _LagReport(share, topic)
    while not share.revoked.is_set():
        records = await share.fetch(topic, BATCH_RECORDS, POLL_SECONDS)
        if records:
            offset = await applier.apply(records, offset)
        await committing.report(offset)


async def _readable(source: Log, topic: str, partition: int, offset: int) -> int:
    """The offset to start at: the stored one, unless the log has deleted what comes next.

    Raises `Refused` (`log-behind`) when the log has never come that far: waiting would pass over new records.
    """
    beginning = await source.beginning_offset(topic, partition)
    end = await source.offset_at(topic, partition, END_OF_TIME_MS)
    if offset > end:
        text = (
            f"{topic}[{partition}] ends at {end}, and {offset} is applied already: the database is that of another log"
        )
        raise Refused("log-behind", text)
    if 0 < offset < beginning:
        text = "%s[%d] begins at %d, behind the offset %d that comes next: the records between are lost to it"
        log.warning(text, topic, partition, beginning, offset)
    return max(beginning, offset)


class _LagReport:
    """Commits the group's offset now and then."""

    def __init__(self, share: Share, topic: str) -> None:
        self._share = share
        self._topic = topic
        self._clock = asyncio.get_running_loop().time
        self._reported: int | None = None
        self._due = self._clock()

    async def report(self, offset: int) -> None:
        """Commit when it is due. Raises `Fenced` when the partition is no longer ours."""
        if offset == self._reported or self._clock() < self._due:
            return
        self._due = self._clock() + COMMIT_EVERY_SECONDS
        try:
            await self._share.commit({self._topic: Committed(offset)})
            self._reported = offset
        except Unavailable as error:
            log.info("the lag of %s[%d] is not up to date: %s", self._topic, self._share.index, error)
