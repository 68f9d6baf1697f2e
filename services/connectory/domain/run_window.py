"""A limit on the runs of a whole type: at most so many within the latest while, counted where they run."""

from collections import deque
from datetime import datetime, timedelta


class RunWindow:
    """`described` is how the limit reads in texts. The count is that of one process, and begins with it."""

    def __init__(self, limit: int, span: timedelta, described: str) -> None:
        self.described = described
        self.spacing = span / limit
        self._limit = limit
        self._span = span
        self._runs: deque[datetime] = deque()

    def room_at(self, now: datetime) -> datetime | None:
        """When another run may begin; None: now. It takes more runs than the limit to be held up."""
        while self._runs and self._runs[0] <= now - self._span:
            self._runs.popleft()
        beyond = len(self._runs) - self._limit
        return None if beyond <= 0 else self._runs[beyond - 1] + self._span

    def log(self, now: datetime) -> None:
        """A run begins."""
        self._runs.append(now)
