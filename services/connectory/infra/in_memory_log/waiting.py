"""Waiting for an event with a limit, where the limit is an answer and not an error."""

import asyncio


async def wait_for(event: asyncio.Event, timeout: float) -> bool:
    """Whether it was set within `timeout` seconds."""
    try:
        async with asyncio.timeout(timeout):
            await event.wait()
    except TimeoutError:
        return False
    return True
