"""Questions that come at the same time are asked together.

A query costs the gateway more than all the rest of a request does. So while some are being asked, those that come
wait, and are asked in one query then. Without load nobody waits. Each is asked after it came: an answer is never
older than its question.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from connectory.domain.errors import ConnectoryError

ASKED_AT_ONCE: Final = 2
"""Queries under way: one is answered while the next is gathered."""

K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True)
class _Batch(Generic[K, V]):
    keys: set[K] = field(default_factory=set)
    answers: Mapping[K, V] | None = None
    error: ConnectoryError | None = None


class Gathering(Generic[K, V]):
    """`ask` answers many keys at once, and leaves out those that there is nothing for."""

    def __init__(self, ask: Callable[[Collection[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._ask = ask
        self._turn = asyncio.Semaphore(ASKED_AT_ONCE)
        self._gathered: _Batch[K, V] = _Batch()

    async def get(self, key: K) -> V | None:
        """What there is for the key. Raises what `ask` raises."""
        batch = self._gathered
        batch.keys.add(key)
        async with self._turn:
            if batch.error is not None:
                raise batch.error
            # Whoever asks for all may be cancelled: then the next in turn finds no answers and asks again.
            answers = batch.answers if batch.answers is not None else await self._answers(batch)
        return answers.get(key)

    async def _answers(self, batch: _Batch[K, V]) -> Mapping[K, V]:
        if batch is self._gathered:
            self._gathered = _Batch()
        try:
            batch.answers = await self._ask(batch.keys)
        except ConnectoryError as error:
            batch.error = error
            raise
        return batch.answers
