"""The one writer of an executor's outcomes.

Records that come up while a write is under way go out together in the next one, those of all partitions: a busy
executor pays for one broker round trip a batch, and an idle one waits for nobody. Outcomes are written under a claim to
their partition, so that an executor that has slept through its replacement cannot tell of requests any more.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import NamedTuple, NoReturn, TypeAlias

from connectory.domain import outcomes
from connectory.domain.errors import Fenced, Unavailable
from connectory.domain.execution import Outcome
from connectory.infra.log import MAX_RECORD_BYTES, Claim, Message, Position, Writer, check_sizes
from connectory.infra.messages import Messages
from connectory.infra.topics import ACTION_OUTCOMES

RETRY_SECONDS = 0.5
MAX_BATCH = 2000

MAX_OUTCOME_BYTES = MAX_RECORD_BYTES - 16_384
"""Of the value alone: what is left is more than its key and headers take, however long the ids in them are."""

BUSY = 16
"""Records in a write from which on more are waited for before the next one."""

GATHER_SECONDS = 0.005
"""How long. A round trip costs about the same for one record and for a hundred; a few milliseconds are not noticed by
requests that come in hundreds, and those that come alone do not wait at all."""

CLAIM = "executor-outcomes"
"""The claim to partition 3 is named `executor-outcomes-3`."""

Call: TypeAlias = Callable[[], None]

log = logging.getLogger(__name__)


class _Entry(NamedTuple):
    """`acknowledged` is called when the broker has the message, `refused` when it never will."""

    message: Message | None
    acknowledged: Call | None
    refused: Call | None = None


class _Held:
    """A partition whose outcomes are written here."""

    def __init__(self, claim: Claim, closing: AsyncExitStack) -> None:
        self.claim = claim
        self.closing = closing
        self.outcomes_end = 0
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class OutcomeJournal:
    """Writes while `run` runs.

    While the broker is away it keeps what it has and tries again: results that are known must not be lost by ending.
    A batch tried twice may stand twice on the topic; readers know outcomes by execution id and action.
    """

    def __init__(self, writer: Writer, messages: Messages) -> None:
        self._writer = writer
        self._messages = messages
        self._pending: list[_Entry] = []
        self._work = asyncio.Event()
        self._held: dict[int, _Held] = {}

    async def take_over(self, partition: int) -> None:
        """Be the one writer of the partition's outcomes: what others wrote before this returns can be read then.

        We may have had it before, and hold outcomes of it still that the broker was away for: they go first.
        """
        await self.flushed()
        if before := self._held.pop(partition, None):
            await before.closing.aclose()
        closing = AsyncExitStack()
        claim = await closing.enter_async_context(
            self._writer.claim(ACTION_OUTCOMES, partition, f"{CLAIM}-{partition}")
        )
        self._held[partition] = _Held(claim, closing)

    def begin(self, partition: int, outcomes_end: int) -> None:
        """The outcomes of a partition that was taken over end there."""
        self._held[partition].outcomes_end = outcomes_end

    async def lost(self, partition: int) -> NoReturn:
        """Raise `Fenced` when another executor has taken the partition over."""
        await asyncio.shield(self._held[partition].lost)
        raise Fenced(f"the outcomes of partition {partition} are written by another executor now")

    def outcomes_end(self, partition: int) -> int:
        """The offset after the last acknowledged outcome of a partition that was `begun`."""
        return self._held[partition].outcomes_end

    def record(self, outcome: Outcome, acknowledged: Call | None = None) -> None:
        """Write an outcome soon, on the partition of its request; call `acknowledged` when the broker has it."""
        self._append(_Entry(self._message(outcome), acknowledged))

    def write(self, message: Message, acknowledged: Call | None = None) -> None:
        """Write any record in line with the outcomes. Raises `MessageTooLarge` here, where it costs this one only."""
        check_sizes([message])
        self._append(_Entry(message, acknowledged))

    def recorded(self, outcome: Outcome) -> asyncio.Future[None]:
        """Write an outcome; the future is done when the broker has it, or raises `Fenced`."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._append(_Entry(self._message(outcome), partial(_end, done), partial(_refuse, done)))
        return done

    async def flushed(self) -> None:
        """Return when all that was handed in until now is acknowledged, or never will be."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._append(_Entry(None, partial(_end, done)))
        await done

    async def run(self) -> NoReturn:
        """Write until cancelled."""
        try:
            while True:
                await self._work.wait()
                batch, self._pending = self._pending[:MAX_BATCH], self._pending[MAX_BATCH:]
                if not self._pending:
                    self._work.clear()
                await self._write_all(batch)
                if len(batch) >= BUSY:
                    await asyncio.sleep(GATHER_SECONDS)
        finally:
            for held in self._held.values():
                await held.closing.aclose()

    def _append(self, entry: _Entry) -> None:
        self._pending.append(entry)
        self._work.set()

    def _message(self, outcome: Outcome) -> Message:
        message = self._encoded(outcome)
        if len(message.value or b"") > MAX_OUTCOME_BYTES:  # a target's answer stands in it, or a source of any length
            message = self._encoded(outcomes.shortened(outcome))
        return message

    def _encoded(self, outcome: Outcome) -> Message:
        partition = outcome.position.partition
        return self._messages.message(
            ACTION_OUTCOMES, outcome.connector_id, outcome, at=outcome.at, partition=partition
        )

    async def _write_all(self, batch: Sequence[_Entry]) -> None:
        """Write what is claimed under its claims, all else beside it; then tell, in the order of the entries."""
        by_target: dict[int | None, list[_Entry]] = {}
        for entry in batch:
            by_target.setdefault(_target(entry), []).append(entry)
        lost = await asyncio.gather(*(self._delivered(target, entries) for target, entries in by_target.items()))
        refused = {target for target, is_lost in zip(by_target, lost, strict=True) if is_lost}
        for entry in batch:
            call = entry.refused if refused and _target(entry) in refused else entry.acknowledged
            if call is not None:
                call()

    async def _delivered(self, target: int | None, entries: Sequence[_Entry]) -> bool:
        """Write until it is written; true when the partition has been lost instead."""
        messages = [entry.message for entry in entries if entry.message is not None]
        if target is None:
            await _persistently(self._writer.write, messages)
            return False
        held = self._held.get(target)
        if held is None:
            return True
        try:
            _note(held, await _persistently(held.claim.write, messages))
        except Fenced:
            _end(held.lost)
            return True
        else:
            return False


async def _persistently(
    write: Callable[[Sequence[Message]], Awaitable[list[Position]]], messages: Sequence[Message]
) -> list[Position]:
    while messages:
        try:
            return await write(messages)
        except Unavailable as error:
            log.warning("%d records of the executor wait for the broker: %s", len(messages), error)
            await asyncio.sleep(RETRY_SECONDS)
    return []


def _target(entry: _Entry) -> int | None:
    """The partition whose claim it is written under; None: any writer may write it."""
    message = entry.message
    return message.partition if message is not None and message.topic == ACTION_OUTCOMES else None


def _note(held: _Held, positions: Sequence[Position]) -> None:
    held.outcomes_end = max(held.outcomes_end, positions[-1].offset + 1)


def _end(future: asyncio.Future[None]) -> None:
    """Whoever waited may have been cancelled meanwhile."""
    if not future.done():
        future.set_result(None)


def _refuse(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_exception(Fenced("another executor has taken over"))
