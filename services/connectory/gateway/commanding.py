"""The way of every change: a command is handed to an aggregate, which decides it, and the read models show it.

What the aggregate answers is final. The caller is answered when the read models show the change, so that a client reads
its own writes on any gateway.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, assert_never

from connectory.domain.errors import Refused, Unavailable
from connectory.domain.replies import CommandAccepted, CommandRefused
from connectory.gateway.errors import OutcomeUnknown
from connectory.gateway.replies import DECISIONS, ReplyInbox
from connectory.infra.headers import reply_to
from connectory.infra.log import Message, Writer
from connectory.infra.messages import Messages
from connectory.infra.progress import ProgressWatch

log = logging.getLogger(__name__)


class CommandLike(Protocol):
    @property
    def command_id(self) -> str: ...

    @property
    def at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a change may wait: for the aggregate's answer, and then for the read models."""

    reply: timedelta
    projection: timedelta


@dataclass(frozen=True, slots=True)
class Channel:
    """How commands of any kind get out and their answers back."""

    messages: Messages
    writer: Writer
    inbox: ReplyInbox
    progress: ProgressWatch
    waits: Waits


@dataclass(frozen=True, slots=True)
class CommandDesk:
    """Takes the commands of one aggregate. `views` are the projections of its events that clients read."""

    channel: Channel
    topic: str
    views: tuple[str, ...]

    async def carry_out(self, subject_id: str, command: CommandLike, traceparent: str | None = None) -> CommandAccepted:
        """Return what was decided, once it can be read.

        Raises `Refused`. With `OutcomeUnknown` the change may have taken place; the same command again tells.
        """
        accepted = await self._decision(self._message(subject_id, command, traceparent), command.command_id)
        await self._wait_for_views(accepted)
        return accepted

    async def _decision(self, message: Message, command_id: str) -> CommandAccepted:
        with self.channel.inbox.awaiting(command_id, *DECISIONS) as reply:
            try:
                async with asyncio.timeout(self.channel.waits.reply.total_seconds()):
                    await self.channel.writer.write([message])
                    answer = await reply
            except (TimeoutError, Unavailable) as error:
                raise OutcomeUnknown.of_command(command_id) from error
        match answer:
            case CommandAccepted():
                return answer
            case CommandRefused():
                raise Refused(answer.code, answer.message)
            case _:
                assert_never(answer)

    def _message(self, subject_id: str, command: CommandLike, traceparent: str | None) -> Message:
        message = self.channel.messages.message(self.topic, subject_id, command, at=command.at, traceparent=traceparent)
        return message._replace(headers=(*message.headers, *reply_to(self.channel.inbox.partition)))

    async def _wait_for_views(self, accepted: CommandAccepted) -> None:
        """The change is durable already: trouble with the read model delays its being seen, and is not an error."""
        try:
            seen = all(await asyncio.gather(*(self._seen(view, accepted) for view in self.views)))
        except Unavailable as error:
            log.warning("a change of %s is answered before it can be read: %s", accepted.subject_id, error)
            return
        if not seen:
            log.warning("a change of %s is answered before it can be read: the projector lags", accepted.subject_id)

    async def _seen(self, view: str, accepted: CommandAccepted) -> bool:
        seconds = self.channel.waits.projection.total_seconds()
        return await self.channel.progress.wait_for(view, accepted.partition, accepted.offset, seconds)
