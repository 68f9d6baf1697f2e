"""How many requests are open in the whole installation, so that no more are taken over HTTP than `queued.max`.

Counted by what the executors have not committed, which is somewhat more than what is open: a request that waits holds
up what was done after it, up to the executors' windows. A count is up to `REFRESH_SECONDS` old, and what other gateways
have taken since is not in it. Requests that are written straight to Kafka are in it, and bounded by nothing.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final

from connectory.domain.errors import Unavailable
from connectory.infra.log import Log
from connectory.infra.topics import ACTION_REQUESTS, EXECUTORS, RETRY_TOPICS

REFRESH_SECONDS: Final = 5.0
END_SECONDS: Final = 2.0
"""What a count that is under way is given when the gateway ends."""

log = logging.getLogger(__name__)


class OpenRequests:
    """`limit` is that of `queued.max`. Until a first count is there, nothing is refused."""

    def __init__(self, source: Log, limit: int) -> None:
        self._source = source
        self._limit = limit
        self._counted: int | None = None
        self._since = 0
        self._asked = asyncio.Event()

    @property
    def is_counted(self) -> bool:
        return self._counted is not None

    def admit(self, count: int) -> int:
        """How many of so many further requests are taken: the first ones."""
        self._asked.set()
        too_many = 0 if self._counted is None else self._counted + self._since + count - self._limit
        admitted = min(count, max(count - too_many, 0))
        self._since += admitted
        return admitted

    async def follow(self) -> None:
        """Count until cancelled, at the start and then as long as somebody asks."""
        while True:
            await _to_its_end(self._count())
            await asyncio.sleep(REFRESH_SECONDS)
            await self._asked.wait()
            self._asked.clear()

    async def _count(self) -> None:
        taken = self._since
        try:
            backlog = await self._source.backlog(EXECUTORS, [ACTION_REQUESTS, *RETRY_TOPICS])
        except Unavailable as error:
            log.info("open requests cannot be counted now: %s", error)
            return
        self._counted = sum(backlog.values())
        self._since -= taken


async def _to_its_end(count: Coroutine[Any, Any, None]) -> None:
    """Let a count come to its end, also when nobody wants it any more.

    A Kafka client that is cut off while it connects leaves its connection open.
    """
    counting = asyncio.create_task(count)
    try:
        await asyncio.shield(counting)
    finally:
        if not counting.done():
            await asyncio.wait([counting], timeout=END_SECONDS)
            counting.cancel()
            await asyncio.wait([counting])
