"""How often somebody may try something: so many times within a span, each for themselves."""

from collections import defaultdict, deque
from datetime import datetime, timedelta

from connectory.gateway.errors import Rejected
from connectory.infra.clock import Clock

TOO_MANY = "Too many authorization attempts. Please try again later."


class AttemptLimit:
    """Remembered in this process: several gateways allow several times as much."""

    def __init__(self, limit: int, span: timedelta, clock: Clock) -> None:
        self._limit = limit
        self._span = span
        self._clock = clock
        self._attempts: defaultdict[str, deque[datetime]] = defaultdict(deque)

    def count(self, who: str) -> None:
        """Take note of an attempt. Raises `Rejected` (429) when there have been too many; such a one is not counted."""
        now = self._clock()
        self._forget(now - self._span)
        if len(self._attempts[who]) >= self._limit:
            raise Rejected(429, TOO_MANY)
        self._attempts[who].append(now)

    def _forget(self, before: datetime) -> None:
        for who, attempts in list(self._attempts.items()):
            while attempts and attempts[0] <= before:
                attempts.popleft()
            if not attempts:
                del self._attempts[who]
