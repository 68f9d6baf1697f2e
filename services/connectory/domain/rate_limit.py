"""A token bucket: actions start at a rate, and a few at once after a pause."""

from dataclasses import dataclass
from typing import Final

SLOWEST_RATE: Final = 0.0001
"""Actions a second: one in not quite three hours. A slower one would rather be a connector that is disabled."""

FASTEST_RATE: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """`per_second` on average, up to `burst` at once. Both are above zero."""

    per_second: float
    burst: int = 1


class TokenBucket:
    """Times are seconds on one clock. When that is set back, nothing is added and nothing taken away."""

    def __init__(self, limit: RateLimit, *, tokens: float, at: float) -> None:
        self._limit = limit
        self._tokens = min(tokens, float(limit.burst))
        self._at = at

    def take(self, now: float) -> float:
        """Take a token and return 0.0, or return the seconds until there is one."""
        self._tokens = min(float(self._limit.burst), self._tokens + max(0.0, now - self._at) * self._limit.per_second)
        self._at = now
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            return 0.0
        return (1.0 - self._tokens) / self._limit.per_second
