"""Waiting for a condition with a deadline: no test waits for a fixed time."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def until(condition: Callable[[], T], seconds: float = 10.0, pause: float = 0.0) -> T:
    """Wait until `condition` says something true, and return that; `TimeoutError` after `seconds`."""
    async with asyncio.timeout(seconds):
        while not (value := condition()):
            await asyncio.sleep(pause)
    return value
