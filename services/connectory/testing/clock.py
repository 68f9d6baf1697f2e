"""A clock that stands still until it is moved."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class ManualClock:
    """Call it for the time; `advance` it by hand."""

    def __init__(self, now: datetime = EPOCH) -> None:
        self._now = now

    def __call__(self) -> datetime:
        return self._now

    def advance(self, span: timedelta) -> None:
        self._now += span
