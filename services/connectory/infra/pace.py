"""So many a second: for work in bulk that is not to flood what it goes to."""

import asyncio


class Pace:
    """Lets `per_second` pass in a second, evenly from the first on; None: as fast as they come."""

    def __init__(self, per_second: float | None) -> None:
        self._per_second = per_second
        self._passed = 0
        self._start: float | None = None

    def batch(self, largest: int) -> int:
        """How many to take at a time: no more than what a second lets pass."""
        return largest if self._per_second is None else max(1, min(largest, int(self._per_second)))

    async def wait(self, count: int) -> None:
        """Return when so many more may pass."""
        if self._per_second is None:
            return
        now = asyncio.get_running_loop().time()
        self._start = now if self._start is None else self._start
        await asyncio.sleep(self._start + self._passed / self._per_second - now)
        self._passed += count
