"""A target on a real socket that knows requests apart, and takes its time for each."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from tests.waiting import until


@dataclass(slots=True)
class Sink:
    """`calls` are the request ids as they came in, one a call, noted before the answer.

    `/quick` answers at once. `/slow` takes up to `slow_seconds`, so that a kill finds attempts under way.
    """

    chance: random.Random
    slow_seconds: float
    url: str = ""
    calls: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    async def sees_more(self, requests: int, seconds: float) -> None:
        """Wait until so many requests have come in that were not seen before this call."""
        awaited = len(self.seen) + requests
        await until(lambda: len(self.seen) >= awaited, seconds, 0.001)

    async def quick(self, request: web.Request) -> web.Response:
        return self._note(request)

    async def slow(self, request: web.Request) -> web.Response:
        answer = self._note(request)
        await asyncio.sleep(self.chance.uniform(0.0, self.slow_seconds))
        return answer

    def _note(self, request: web.Request) -> web.Response:
        request_id = request.headers["Idempotency-Key"]
        self.calls.append(request_id)
        self.seen.add(request_id)
        return web.Response()


@asynccontextmanager
async def open_sink(chance: random.Random, slow_seconds: float = 0.5) -> AsyncIterator[Sink]:
    """Serve on a free port of a loopback address."""
    sink = Sink(chance, slow_seconds)
    application = web.Application()
    application.add_routes([web.post("/quick", sink.quick), web.post("/slow", sink.slow)])
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        sink.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield sink
    finally:
        await runner.cleanup()
