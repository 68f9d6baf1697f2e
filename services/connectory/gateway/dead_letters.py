"""What operators do about dead letters: repeat the request as a new one, or drop the letter. Independent of HTTP.

A letter is settled by a record beside it on the log. The repeated request is written first, under an id that follows
from the letter: when a crash keeps the second record from being written, repeating it once more is a duplicate, which
executors recognise within their window.
"""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from connectory.domain.dead_letters import DeadLetter, DeadLetterSettled
from connectory.domain.errors import Refused, Unavailable, Undecodable
from connectory.domain.execution import ActionRequest
from connectory.domain.repeats import repeat
from connectory.gateway.read_models import DeadLetters
from connectory.infra.clock import Clock
from connectory.infra.log import Message, Position, Writer
from connectory.infra.messages import Messages, read_traceparent
from connectory.infra.pace import Pace
from connectory.infra.progress import ProgressWatch
from connectory.infra.topics import ACTION_DEAD_LETTERS, ACTION_REQUESTS
from connectory_projections.dead_letters import DEAD_LETTERS, DeadLetterFilter, KeptLetter, Scope, place_of_id

BATCH: Final = 50
"""Letters that are held in memory at one time; each may be as large as a record may."""

_REPEATS: Final = uuid.UUID("0d6b8a9e-6f0c-4b53-9d4e-5a1f0f6f2a7c")

ALL_OPEN: Final = DeadLetterFilter()

Permit: TypeAlias = Callable[[Collection[str]], Awaitable[None]]
"""Asked for the connectors of a batch; raises to keep their requests from being repeated."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settled:
    """A letter that was done with. `redriven_as` is the id of the request that repeats it; None: it was dropped."""

    letter_id: str
    redriven_as: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Letters by their ids, or by a filter; of those that a filter names at most `limit`, the oldest first."""

    scope: Scope
    ids: Sequence[str] | None = None
    where: DeadLetterFilter = ALL_OPEN
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterDesk:
    """The use cases. `view_wait` is how long to wait, in the end, for the read model to show what was done."""

    letters: DeadLetters
    progress: ProgressWatch
    messages: Messages
    writer: Writer
    clock: Clock
    view_wait: timedelta

    def redrive(
        self,
        selection: Selection,
        *,
        by: str | None = None,
        pace: Pace | None = None,
        permit: Permit | None = None,
    ) -> AsyncIterator[Sequence[Settled]]:
        """Repeat the requests, batch by batch, oldest first; `permit` is asked before a batch is.

        Raises `Refused` (`dead-letter-not-found`, `dead-letter-settled`, `dead-letter-unreadable`), for letters
        named by id before anything is written, and `Unavailable`. A filter passes over what holds no request.
        """
        return self._settle(selection, by, pace or Pace(None), permit, redrive=True)

    def drop(
        self, selection: Selection, *, by: str | None = None, pace: Pace | None = None
    ) -> AsyncIterator[Sequence[Settled]]:
        """Settle the letters without doing anything else. Raises as `redrive` does."""
        return self._settle(selection, by, pace or Pace(None), None, redrive=False)

    def request_of(self, letter: DeadLetter) -> ActionRequest:
        """The request that was given up. Raises `Refused` (`dead-letter-unreadable`) when the letter holds none."""
        try:
            return self.messages.decode(letter.value, ActionRequest)
        except Undecodable as error:
            text = f"the dead letter of {_place(letter)} holds no request that could be repeated ({error.message})"
            raise Refused("dead-letter-unreadable", f"{text}; it can be shown and dropped") from None

    async def _settle(
        self, selection: Selection, by: str | None, pace: Pace, permit: Permit | None, *, redrive: bool
    ) -> AsyncIterator[Sequence[Settled]]:
        last: dict[int, Position] = {}
        async for batch in self._batches(selection, pace.batch(BATCH), redrive=redrive):
            if permit is not None:
                await permit(_connector_ids(batch))
            await pace.wait(len(batch))
            done = [Settled(kept.id, repeated_id(kept.letter) if redrive else None) for kept in batch]
            if redrive:
                await self.writer.write([self._repeated(kept.letter, by) for kept in batch])
            positions = await self.writer.write(self._settlements(batch, done, by))
            last.update((position.partition, position) for position in positions)
            yield done
        await self._wait_for_view(last.values())

    async def _batches(self, selection: Selection, size: int, *, redrive: bool) -> AsyncIterator[Sequence[KeptLetter]]:
        if selection.ids is None:
            async for found in self._filtered(selection, size, repeatable=redrive):
                yield found
            return
        named = await self._named(selection.scope, selection.ids)
        if redrive:
            for kept in named:
                self.request_of(kept.letter)
        for start in range(0, len(named), size):
            yield named[start : start + size]

    async def _filtered(
        self, selection: Selection, size: int, *, repeatable: bool
    ) -> AsyncIterator[Sequence[KeptLetter]]:
        left, after = selection.limit, None
        while left is None or left > 0:
            limit = size if left is None else min(size, left)
            found = await self.letters.oldest_open(
                selection.scope, selection.where, repeatable=repeatable, after=after, limit=limit
            )
            if not found:
                return
            yield found
            after, left = found[-1], None if left is None else left - len(found)

    async def _named(self, scope: Scope, ids: Sequence[str]) -> Sequence[KeptLetter]:
        """Raises `Refused` when one of them is not there, or not open any more."""
        places = {each: place_of_id(each) for each in ids}
        found = await self.letters.at_places(scope, [place for place in places.values() if place is not None])
        missing = set(ids) - {kept.id for kept in found}
        if missing:
            raise not_found(min(missing))
        for kept in found:
            _require_open(kept)
        return found

    def _repeated(self, letter: DeadLetter, by: str | None) -> Message:
        now = self.clock()
        request = repeat(self.request_of(letter), repeated_id(letter), now, by)
        traceparent = read_traceparent(letter.headers)
        return self.messages.message(ACTION_REQUESTS, request.connector_id, request, at=now, traceparent=traceparent)

    def _settlements(self, batch: Sequence[KeptLetter], done: Sequence[Settled], by: str | None) -> list[Message]:
        """Each on the partition of its letter, so that whoever follows it reads both in order."""
        now = self.clock()
        return [
            self._settlement(kept.letter, each.redriven_as, now, by) for kept, each in zip(batch, done, strict=True)
        ]

    def _settlement(self, letter: DeadLetter, redriven_as: str | None, now: datetime, by: str | None) -> Message:
        settled = DeadLetterSettled(
            topic=letter.topic,
            partition=letter.partition,
            offset=letter.offset,
            at=now,
            by=by,
            redriven_as=redriven_as,
        )
        return self.messages.message(ACTION_DEAD_LETTERS, None, settled, at=now, partition=letter.partition)

    async def _wait_for_view(self, positions: Iterable[Position]) -> None:
        """So that the next list shows them settled. They are, whatever the read model shows."""
        seconds = self.view_wait.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                for position in positions:
                    await self.progress.wait_for(DEAD_LETTERS.name, position.partition, position.offset, seconds)
        except (TimeoutError, Unavailable):
            log.warning("settled dead letters cannot be seen yet: the projector lags, or the database is away")


def _connector_ids(batch: Sequence[KeptLetter]) -> frozenset[str]:
    return frozenset(kept.letter.connector_id for kept in batch if kept.letter.connector_id is not None)


def repeated_id(letter: DeadLetter) -> str:
    """The id of the request that repeats a letter: always the same."""
    return str(uuid.uuid5(_REPEATS, f"{_place(letter)}\n{letter.request_id}"))


def not_found(letter_id: str) -> Refused:
    return Refused("dead-letter-not-found", f"There is no dead letter {letter_id}")


def _require_open(kept: KeptLetter) -> None:
    if kept.status == "redriven":
        text = f"Dead letter {kept.id} was redriven already, as request {kept.redriven_as}"
        raise Refused("dead-letter-settled", text)
    if kept.status == "dropped":
        raise Refused("dead-letter-settled", f"Dead letter {kept.id} was dropped")


def _place(letter: DeadLetter) -> str:
    return f"{letter.topic}/{letter.partition}/{letter.offset}"
