"""The way of every change: a command is handed to an aggregate, which decides it, and the read models show it.

What the aggregate answers is final. The caller is answered when the read models show the change, so that a client reads
its own writes on any gateway.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeAlias, assert_never

from connectory.domain.errors import ConnectoryError, Refused, Unavailable
from connectory.domain.replies import CommandAccepted, CommandRefused
from connectory.gateway.errors import OutcomeUnknown
from connectory.gateway.replies import DECISIONS, ReplyInbox
from connectory.infra.headers import reply_to
from connectory.infra.log import Message, Writer
from connectory.infra.messages import Messages
from connectory.infra.progress import ProgressWatch

AT_ONCE: Final = 1000
"""Commands of one call that wait for their decisions together: enough to fill the aggregate's transactions."""

log = logging.getLogger(__name__)


class CommandLike(Protocol):
    @property
    def command_id(self) -> str: ...

    @property
    def at(self) -> datetime: ...


Decided: TypeAlias = CommandAccepted | ConnectoryError
"""What became of one command of many: done, or not done and why."""


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
        await self._wait_for_views([accepted])
        return accepted

    async def carry_out_all(
        self, commands: Sequence[tuple[str, CommandLike]], traceparent: str | None = None
    ) -> list[Decided]:
        """Return what was decided about each, by subject id, in their order, once all of it can be read.

        Some may be refused while others take place. Raises `Unavailable` when one is not decided in time: those before
        it have taken place or not, no further ones are sent, and the same commands again tell.
        """
        decided: list[Decided | None] = [None] * len(commands)
        undecided = iter(enumerate(commands))

        async def work() -> None:
            for place, (subject_id, command) in undecided:
                decided[place] = outcome = await self._outcome(subject_id, command, traceparent)
                if isinstance(outcome, Unavailable):
                    deque(undecided, maxlen=0)  # nobody takes a further one

        async with asyncio.TaskGroup() as group:
            for _ in range(min(AT_ONCE, len(commands))):
                group.create_task(work())
        known = [each for each in decided if each is not None]
        _raise_unavailable(known)
        await self._wait_for_views([each for each in known if isinstance(each, CommandAccepted)])
        return known

    async def _outcome(self, subject_id: str, command: CommandLike, traceparent: str | None) -> Decided:
        try:
            return await self._decision(self._message(subject_id, command, traceparent), command.command_id)
        except ConnectoryError as error:
            return error

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

    async def _wait_for_views(self, changes: Sequence[CommandAccepted]) -> None:
        """The changes are durable already: trouble with the read models delays their being seen, and is no error."""
        places = _last_offsets(changes)
        try:
            seen = all(await asyncio.gather(*(self._seen(view, *place) for view in self.views for place in places)))
        except Unavailable as error:
            log.warning("a change of %s is answered before it can be read: %s", _named(changes), error)
            return
        if not seen:
            log.warning("a change of %s is answered before it can be read: the projector lags", _named(changes))

    async def _seen(self, view: str, partition: int, offset: int) -> bool:
        seconds = self.channel.waits.projection.total_seconds()
        return await self.channel.progress.wait_for(view, partition, offset, seconds)


def _raise_unavailable(decided: Iterable[Decided]) -> None:
    for each in decided:
        if isinstance(each, Unavailable):
            raise each


def _last_offsets(changes: Iterable[CommandAccepted]) -> list[tuple[int, int]]:
    """The last offset in each partition: who has applied it knows of those before."""
    last: dict[int, int] = {}
    for change in changes:
        last[change.partition] = max(change.offset, last.get(change.partition, -1))
    return [*last.items()]


def _named(changes: Sequence[CommandAccepted]) -> str:
    further = len(changes) - 1
    return changes[0].subject_id + (f" and {further} more" if further else "")
