"""Looking for new requests: when there is room for them, and counted for the figures of the executor."""

from collections.abc import Callable, Sequence
from time import perf_counter

from connectory.executor.statistics import Statistics
from connectory.executor.window import Window
from connectory.infra.log import Record, Share
from connectory.infra.topics import ACTION_REQUESTS


class Polling:
    """`longest`, in seconds, is how long a look waits for a request."""

    def __init__(self, share: Share, window: Window, statistics: Statistics, longest: float) -> None:
        self._share = share
        self._window = window
        self._statistics = statistics
        self._longest = longest

    async def take_in(self, take: Callable[[Record], None]) -> bool:
        """Look once, and hand over what is there; False when the partition is not to be read any more."""
        room = await self._room()
        if not room or self._share.revoked.is_set():
            return False
        began = perf_counter()
        records = await self._fetch(room)
        for record in records:
            take(record)
        self._statistics.polled(perf_counter() - began, len(records), room, full=self._window.is_full)
        return True

    async def _fetch(self, room: int) -> Sequence[Record]:
        try:
            return await self._share.fetch(ACTION_REQUESTS, room, self._longest)
        except Exception:
            self._statistics.poll_failed()
            raise

    async def _room(self) -> int:
        if not self._window.is_full:
            return await self._window.room()
        self._statistics.paused()
        try:
            return await self._window.room()
        finally:
            self._statistics.resumed()
