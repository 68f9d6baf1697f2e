"""Cancelling a request that waits. Ids belong to connectors, so who holds the request is not known here: the wish goes
to every partition, or to one, and whoever ends a request by it answers.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectory.domain.cancellation import CANCELLED, CancelRequest, RequestCancelled
from connectory.domain.errors import Refused, Unavailable
from connectory.domain.json_types import JsonObject
from connectory.gateway.errors import OutcomeUnknown
from connectory.gateway.origin import Origin
from connectory.gateway.read_models import EventLog
from connectory.gateway.replies import ReplyInbox
from connectory.infra.clock import Clock
from connectory.infra.headers import reply_to
from connectory.infra.log import Log, Message, Writer, partition_for
from connectory.infra.messages import Messages
from connectory.infra.topics import ACTION_CANCELLATIONS
from connectory_projections.event_log import EventLogFilter

PATIENCE = timedelta(seconds=2)
"""For the answer: an executor that holds the request needs milliseconds."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellations:
    """The use case. `patience` is how long it waits for an answer."""

    log: Log
    event_log: EventLog
    messages: Messages
    writer: Writer
    inbox: ReplyInbox
    clock: Clock
    patience: timedelta = PATIENCE

    async def cancel(self, request_id: str, connector_id: str | None, origin: Origin) -> RequestCancelled | None:
        """Return which request does not run, or None: it will not if it has not begun, and nobody has answered.

        The wish stays on the log: a request that is read later does not run either. `connector_id` spares the other
        partitions. Raises `Refused` (`request-ended`), and `OutcomeUnknown` when the wish may not be on the log.
        """
        with self.inbox.awaiting(request_id, RequestCancelled) as reply:
            try:
                await self.writer.write(await self._wishes(request_id, connector_id, origin))
            except Unavailable as error:
                raise OutcomeUnknown.of_cancellation(request_id) from error
            try:
                async with asyncio.timeout(self.patience.total_seconds()):
                    return await reply
            except TimeoutError:
                return await self._ended_by_another(request_id, connector_id, origin)

    async def _wishes(self, request_id: str, connector_id: str | None, origin: Origin) -> list[Message]:
        wish = CancelRequest(request_id=request_id, space_id=origin.space_id, at=self.clock(), by=origin.by)
        count = await self.log.partition_count(ACTION_CANCELLATIONS)
        partitions = range(count) if connector_id is None else [partition_for(connector_id.encode(), count)]
        message = self.messages.message(
            ACTION_CANCELLATIONS, request_id, wish, at=wish.at, traceparent=origin.traceparent
        )
        headers = (*message.headers, *reply_to(self.inbox.partition))
        return [message._replace(partition=partition, headers=headers) for partition in partitions]

    async def _ended_by_another(
        self, request_id: str, connector_id: str | None, origin: Origin
    ) -> RequestCancelled | None:
        """What the event log has of it: an earlier cancellation, any other end (raises `Refused`), or none yet."""
        where = EventLogFilter(request_id=request_id, connector_id=connector_id, final=True)
        try:
            page = await self.event_log.page(origin.space_id, where, 1, None)
        except Unavailable as error:
            log.warning("whether the request %s has ended is not known: %s", request_id, error)
            return None
        return _cancelled(request_id, page.items[0]) if page.items else None


def _cancelled(request_id: str, final: JsonObject) -> RequestCancelled:
    """Cancelling twice is cancelling once. Raises `Refused` for any other end."""
    if final["reason"] != CANCELLED:
        how = final["reason"] or final["outcome"]
        text = f"the request {request_id} has ended already, at {final['@timestamp']} ({how}): it cannot be cancelled"
        raise Refused("request-ended", text)
    at = datetime.fromisoformat(str(final["@timestamp"]))
    return RequestCancelled(request_id=request_id, connector_id=str(final["connector_id"]), at=at)
