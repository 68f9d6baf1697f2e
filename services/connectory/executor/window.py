"""How far the executor reads ahead in a partition: a bound on requests and on their bytes."""

import asyncio


class Window:
    """Counts what was read and is not done. One oversized request may pass the byte bound, so that none is stuck."""

    def __init__(self, requests: int, size: int) -> None:
        self._requests = requests
        self._bytes = size
        self._low_requests = requests // 4
        self._low_bytes = size // 4
        self._free = asyncio.Event()
        self._free.set()
        self.closed = False

    def take(self, size: int) -> None:
        self._requests -= 1
        self._bytes -= size
        if self._requests <= 0 or self._bytes <= 0:
            self._free.clear()

    def give(self, size: int) -> None:
        self._requests += 1
        self._bytes += size
        if self._requests > 0 and self._bytes > 0:
            self._free.set()

    @property
    def is_full(self) -> bool:
        return not self._free.is_set()

    @property
    def is_tight(self) -> bool:
        """Whether less than a quarter is left."""
        return self._requests < self._low_requests or self._bytes < self._low_bytes

    def close(self) -> None:
        """Nothing more is to be read: whoever waits for room is told there is none."""
        self.closed = True
        self._free.set()

    async def room(self) -> int:
        """Wait until there is room; return for how many requests, 0 when the window is closed."""
        await self._free.wait()
        return 0 if self.closed else self._requests
