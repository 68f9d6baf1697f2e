"""How many requests are open in the whole installation, so that no more are taken over HTTP than `queued.max`.

Counted by what the executors have not committed, which is somewhat more than what is open: a request that waits holds
up what was done after it, up to the executors' windows. A count is up to `REFRESH_SECONDS` old; where there was much
room, as old as the last call. What other gateways have taken since is not in it. Requests that are written straight to
Kafka are in it, and bounded by nothing.
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
    def known(self) -> int | None:
        """As far as is known; None: not counted yet."""
        return None if self._counted is None else self._counted + self._since

    def admit(self, count: int) -> int:
        """How many of so many further requests are taken: the first ones."""
        self._asked.set()
        known = self.known
        too_many = 0 if known is None else known + count - self._limit
        admitted = min(count, max(count - too_many, 0))
        self._since += admitted
        return admitted

    async def follow(self) -> None:
        """Count until cancelled: at the start, then as long as somebody asks or the limit is not far."""
        while True:
            await _to_its_end(self._count())
            await asyncio.sleep(REFRESH_SECONDS)
            if not self._is_close:
                await self._asked.wait()
            self._asked.clear()

    @property
    def _is_close(self) -> bool:
        """Whoever comes next after a quiet time must not be judged by what was open before it."""
        known = self.known
        return known is None or 2 * known >= self._limit

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
