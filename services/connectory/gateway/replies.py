"""Where answers to commands and direct requests arrive.

A gateway owns one partition number of `replies`, chosen by chance; another gateway may have chosen the same, so
whatever nobody here waits for is passed over.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias, TypeVar, get_args

from connectory.domain.errors import Unavailable, Undecodable
from connectory.domain.replies import CommandAccepted, CommandRefused, Reply
from connectory.infra.log import Log, Record, Tail
from connectory.infra.messages import Messages
from connectory.infra.supervision import keep_running
from connectory.infra.topics import REPLIES

FETCH_SECONDS = 5.0
LONGEST_WAIT = 2.0
"""Seconds between attempts to read again after trouble with the broker. Short: callers wait for replies meanwhile."""

REPLY_TYPES: tuple[type[Reply], ...] = get_args(Reply)

Decision: TypeAlias = CommandAccepted | CommandRefused
DECISIONS: tuple[type[Decision], ...] = get_args(Decision)

T = TypeVar("T", bound=Reply)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Waiter:
    """Who waits for a reply. Of one request both its result and its cancellation may be awaited, under the same id."""

    types: tuple[type[Any], ...]
    reply: asyncio.Future[Any]


class ReplyInbox:
    """Reads the gateway's reply partition and hands each reply to whoever waits for its id."""

    def __init__(self, log_: Log, messages: Messages, chance: random.Random) -> None:
        self._log = log_
        self._messages = messages
        self._chance = chance
        self._partition: int | None = None
        self._position: int | None = None
        self._tail: Tail | None = None
        self._found = asyncio.Event()
        self._waiting: dict[str, set[_Waiter]] = {}

    @property
    def partition(self) -> int:
        """The partition of `replies` that answers are to be sent to. Raises `Unavailable` until its end was found.

        Afterwards it stays valid through trouble with the broker: reading goes on where it stopped.
        """
        if self._partition is None or self._position is None:
            raise Unavailable("the end of the replies was not found yet")
        return self._partition

    async def found(self) -> None:
        """Wait until there is a partition that answers can be sent to."""
        await self._found.wait()

    async def reach(self) -> None:
        """Ask the broker for something cheap on the connection that replies come by. Raises `Unavailable`."""
        if self._tail is None:
            raise Unavailable("no replies are read at the moment")
        await self._tail.end_offset()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Read until left."""
        reading = asyncio.create_task(keep_running("the reply inbox", self._read, longest_wait=LONGEST_WAIT))
        try:
            yield
        finally:
            reading.cancel()
            await asyncio.wait([reading])

    @contextmanager
    def awaiting(self, reply_id: str, *types: type[T]) -> Iterator[asyncio.Future[T]]:
        """A future that is done when a reply of such a type to this id arrives. Enter it before anything is sent."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        waiter = _Waiter(types, future)
        waiting = self._waiting.setdefault(reply_id, set())
        waiting.add(waiter)
        try:
            yield future
        finally:
            future.cancel()
            waiting.discard(waiter)
            if not waiting:
                self._waiting.pop(reply_id, None)

    async def _read(self) -> None:
        if self._partition is None:
            self._partition = self._chance.randrange(await self._log.partition_count(REPLIES))
        if self._position is None:
            self._position = await self._end(self._partition)
        self._found.set()
        async with self._log.tail(REPLIES, self._partition, self._position) as tail:
            self._tail = tail
            try:
                await self._follow(tail)
            finally:
                self._tail = None

    async def _end(self, partition: int) -> int:
        """Replies written before we started are not for us."""
        start = await self._log.beginning_offset(REPLIES, partition)
        async with self._log.tail(REPLIES, partition, start) as tail:
            return await tail.end_offset()

    async def _follow(self, tail: Tail) -> NoReturn:
        while True:
            records = await tail.fetch(FETCH_SECONDS)
            self._position = tail.position
            for record in records:
                self._deliver(record)

    def _deliver(self, record: Record) -> None:
        """The key is the id that is waited for: replies to others are not even decoded."""
        waiting = self._waiting.get((record.key or b"").decode("utf-8", "replace"))
        if not waiting:
            return
        try:
            reply: Reply = self._messages.decode(record.value, *REPLY_TYPES)
        except Undecodable as error:
            log.warning("passed over an undecodable reply at %s/%d/%d: %s", *record[:3], error)
            return
        for waiter in waiting:
            if isinstance(reply, waiter.types) and not waiter.reply.done():
                waiter.reply.set_result(reply)
