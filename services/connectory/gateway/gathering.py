"""Questions that come at the same time are asked together.

A query costs the gateway more than all the rest of a request does. So those that come in one go, and those that come
while a query is under way, are asked in one. Each is asked after it came: an answer is never older than its question.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

PATIENCE_SECONDS: Final = 0.02
"""How long a query waits for the one before it: a slow one, or a connection that hangs, must not hold up all others."""

K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True)
class _Batch(Generic[K, V]):
    """Whoever comes first asks for all; the others wait, each for a future of its own, which it may be cancelled in."""

    keys: set[K] = field(default_factory=set)
    waiting: list[asyncio.Future[None]] = field(default_factory=list)
    answers: Mapping[K, V] | None = None
    error: Exception | None = None

    def end(self) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        return future

    def finish(self) -> None:
        for future in self.waiting:
            if not future.done():
                future.set_result(None)


class Gathering(Generic[K, V]):
    """`ask` answers many keys at once, and leaves out those that there is nothing for."""

    def __init__(self, ask: Callable[[Collection[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._ask = ask
        self._turn = asyncio.Lock()
        self._gathered: _Batch[K, V] = _Batch()

    async def get(self, key: K) -> V | None:
        """What there is for the key. Raises what `ask` raises."""
        batch = self._gathered
        if batch.keys:
            batch.keys.add(key)
            await batch.end()
        else:
            batch.keys.add(key)
            await self._answer(batch)
        if batch.error is not None:
            raise batch.error
        if batch.answers is None:  # the one who asked for all was cancelled
            return await self.get(key)
        return batch.answers.get(key)

    async def _answer(self, batch: _Batch[K, V]) -> None:
        try:
            async with self._in_turn():
                await asyncio.sleep(0)  # for those that came in one go with this one
                self._gathered = _Batch()
                batch.answers = await self._ask(batch.keys)
        except Exception as error:  # one row that cannot be read: nobody is to ask for it over and over
            batch.error = error
        finally:
            if self._gathered is batch:
                self._gathered = _Batch()
            batch.finish()

    @asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[None]:
        """One after the other, as long as they are quick."""
        has_turn = await self._take_turn()
        try:
            yield
        finally:
            if has_turn:
                self._turn.release()

    async def _take_turn(self) -> bool:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._turn.acquire()
        except TimeoutError:
            return False
