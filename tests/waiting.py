"""Waiting for a condition with a deadline: no test waits for a fixed time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


async def until(condition: Callable[[], T], seconds: float = 10.0, pause: float = 0.0) -> T:
    """Wait until `condition` says something true, and return that; `TimeoutError` after `seconds`."""
    async with asyncio.timeout(seconds):
        while not (value := condition()):  # noqa: ASYNC110 — any condition will do
            await asyncio.sleep(pause)
    return value


async def until_many(items: Callable[[], Sequence[T]], count: int, seconds: float = 10.0) -> Sequence[T]:
    """Wait until there are at least `count` items, and return all there are."""
    await until(lambda: len(items()) >= count, seconds)
    return items()


async def until_answer(
    ask: Callable[[], Awaitable[T]], wanted: Callable[[T], bool], seconds: float = 10.0, pause: float = 0.0
) -> T:
    """Ask again until the answer is as wanted, and return it; `TimeoutError` after `seconds`."""
    async with asyncio.timeout(seconds):
        while not wanted(answer := await ask()):  # noqa: ASYNC110 — likewise
            await asyncio.sleep(pause)
    return answer
