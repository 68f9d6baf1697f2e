"""A target on a real socket that knows requests apart, and can be told to behave badly.

Its path names the connector: `/{connector_id}`.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum

from aiohttp import web

from connectory.domain.spaces import DEFAULT_SPACE
from connectory.testing.history import Call, RequestKey
from tests.waiting import until

HANG_SECONDS = 30.0
"""Longer than any client of ours waits."""

SHARE = 0.8
"""Of the calls in a bad time that are treated badly."""


class Mood(StrEnum):
    """How calls are treated."""

    QUICK = "answers at once"
    SLOW = "answers slowly"
    HANGING = "hangs"
    RESETTING = "resets connections"
    FAILING = "answers 500"
    BUSY = "answers 429"


ANSWERS = {Mood.QUICK: 200, Mood.SLOW: 200, Mood.HANGING: None, Mood.RESETTING: None, Mood.FAILING: 500, Mood.BUSY: 429}


@dataclass(slots=True)
class Sink:
    """`calls` as they came in, noted before the answer. A slow answer takes up to `slow_seconds`.

    `usual` moods are those of connectors in good times; a connector that is not named is quick.
    """

    chance: random.Random
    slow_seconds: float
    url: str = ""
    calls: list[Call] = field(default_factory=list)
    seen: set[RequestKey] = field(default_factory=set)
    usual: dict[str, Mood] = field(default_factory=dict)
    _bad: defaultdict[str, list[Mood]] = field(default_factory=lambda: defaultdict(list))

    def url_of(self, connector_id: str) -> str:
        return f"{self.url}/{connector_id}"

    async def sees_more(self, requests: int, seconds: float) -> None:
        """Wait until so many requests have come in that were not seen before this call."""
        awaited = len(self.seen) + requests
        await until(lambda: len(self.seen) >= awaited, seconds, 0.001)

    async def bad_time(self, mood: Mood, connector_ids: list[str], seconds: float) -> None:
        """Treat most calls of these connectors so, for a while."""
        for each in connector_ids:
            self._bad[each].append(mood)
        await asyncio.sleep(seconds)
        for each in connector_ids:
            self._bad[each].remove(mood)

    async def take(self, request: web.Request) -> web.StreamResponse:
        connector_id = request.match_info["connector_id"]
        key = RequestKey(DEFAULT_SPACE, connector_id, request.headers["Idempotency-Key"])
        mood = self._mood(connector_id)
        self.calls.append(Call(key=key, at=datetime.now(UTC), answer=ANSWERS[mood]))
        self.seen.add(key)
        return await self._treat(request, mood)

    async def _treat(self, request: web.Request, mood: Mood) -> web.Response:
        match mood:
            case Mood.SLOW:
                await asyncio.sleep(self.chance.uniform(0.0, self.slow_seconds))
            case Mood.HANGING:
                await asyncio.sleep(HANG_SECONDS)
            case Mood.RESETTING:
                _reset(request)
            case Mood.BUSY:
                return web.Response(status=429, headers={"Retry-After": self._retry_after()})
            case _:
                pass
        return web.Response(status=ANSWERS[mood] or 200)

    def _mood(self, connector_id: str) -> Mood:
        bad = self._bad[connector_id]
        return bad[-1] if bad and self.chance.random() < SHARE else self.usual.get(connector_id, Mood.QUICK)

    def _retry_after(self) -> str:
        """In either of its two forms."""
        soon = datetime.now(UTC) + timedelta(seconds=1)
        return self.chance.choice(["1", format_datetime(soon, usegmt=True)])


@asynccontextmanager
async def open_sink(chance: random.Random, slow_seconds: float = 0.5) -> AsyncIterator[Sink]:
    """Serve on a free port of a loopback address."""
    sink = Sink(chance, slow_seconds)
    application = web.Application()
    application.add_routes([web.post("/{connector_id}", sink.take)])
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        sink.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield sink
    finally:
        await runner.cleanup()


def _reset(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
