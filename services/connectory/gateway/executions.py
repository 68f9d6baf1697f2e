"""Runs of actions: direct ones, whose caller waits for the result, and requests handed in to be run later.

Both go the same way, over the log to the executor. A direct run that loses its caller goes on to its end: the event
log holds its outcome.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from connectory.domain.errors import EncryptionKeyMissing, Refused, SecretsUnreadable, Unavailable
from connectory.domain.execution import ActionRequest, Failed, Result
from connectory.domain.json_types import JsonObject
from connectory.domain.replies import RequestCompleted
from connectory.gateway.errors import OutcomeUnknown
from connectory.gateway.origin import NewId, Origin
from connectory.gateway.replies import ReplyInbox
from connectory.infra.clock import Clock
from connectory.infra.log import Message, Writer
from connectory.infra.messages import Messages
from connectory.infra.topics import ACTION_REQUESTS

MARGIN = timedelta(seconds=10)
"""On top of the time a run may take: for its way to the executor and back."""

DIRECT_SOURCE = "http_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Executions:
    """The use cases. `run_timeout` is the executor's limit for one run."""

    messages: Messages
    writer: Writer
    inbox: ReplyInbox
    clock: Clock
    new_id: NewId
    run_timeout: timedelta

    async def run(self, connector_id: str, params: JsonObject, origin: Origin) -> Result:
        """Run once and return the result; a failed one is a result too.

        Raises `Refused` when the run never started for a reason that is not in its params or connector,
        `SecretsUnreadable`, and `OutcomeUnknown` when no result came in time.
        """
        request = ActionRequest(
            request_id=self.new_id(),
            space_id=origin.space_id,
            connector_id=connector_id,
            params=params,
            requested_at=self.clock(),
            requested_by=origin.by,
            source=DIRECT_SOURCE,
            reply_partition=self.inbox.partition,
            context=origin.context(),
        )
        return _started(connector_id, await self._result(request, origin))

    async def submit(self, requests: Sequence[ActionRequest], origin: Origin) -> None:
        """Hand in requests; returns when all are on the log. Raises `OutcomeUnknown` when that is not sure."""
        messages = [self._message(request, origin) for request in requests]
        try:
            await self.writer.write(messages)
        except Unavailable as error:
            raise OutcomeUnknown.of_requests([request.request_id for request in requests]) from error

    async def _result(self, request: ActionRequest, origin: Origin) -> Result:
        message = self._message(request, origin)
        with self.inbox.awaiting(request.request_id, RequestCompleted) as reply:
            try:
                async with asyncio.timeout((self.run_timeout + MARGIN).total_seconds()):
                    await self.writer.write([message])
                    return (await reply).result
            except (TimeoutError, Unavailable) as error:
                raise OutcomeUnknown.of_run(request.request_id) from error

    def _message(self, request: ActionRequest, origin: Origin) -> Message:
        return self.messages.message(
            ACTION_REQUESTS,
            request.connector_id,
            request,
            at=request.requested_at,
            traceparent=origin.traceparent,
        )


def _started(connector_id: str, result: Result) -> Result:
    """Raise for the failures that are error bodies on the wire, and no results: the action was never tried."""
    match result:
        case Failed(reason="connector-not-found"):
            raise Refused.not_found(connector_id)
        case Failed(reason="type-not-registered" | "type-disabled" as reason, message=message):
            raise Refused(reason, message)
        case Failed(reason="encryption-key-missing"):
            raise EncryptionKeyMissing("execute action")
        case Failed(reason="secrets-unreadable", message=message):
            raise SecretsUnreadable(message)
        case _:
            return result
