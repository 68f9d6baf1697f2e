"""An event loop whose time jumps: waits cost nothing, and a run is the same every time.

Only for code that waits by timers and for other tasks. Sockets and threads have no place in it.
"""

import asyncio
import selectors
from collections.abc import Coroutine, Mapping
from itertools import count
from typing import Any, TypeVar

T = TypeVar("T")


class Stuck(RuntimeError):
    """Every task waits for another one, and no timer is set: the run would never go on."""


class _JumpingSelector(selectors.BaseSelector):
    """Instead of sleeping until the next timer, moves the clock there."""

    def __init__(self) -> None:
        self._real = selectors.DefaultSelector()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if not ready and timeout is None:
            raise Stuck("all tasks wait and no timer is set")
        if not ready and timeout:
            self.now += timeout
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()


class _NumberedTask(asyncio.Task[Any]):
    """The library keeps tasks in sets, whose order is that of the hashes: by default the addresses, which change."""

    def __init__(self, number: int, *args: Any, **options: Any) -> None:
        self._number = number
        super().__init__(*args, **options)

    def __hash__(self) -> int:
        return self._number


class _NumberedFuture(asyncio.Future[Any]):
    def __init__(self, number: int, *, loop: asyncio.AbstractEventLoop) -> None:
        self._number = number
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self._number


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        self._numbers = count()
        super().__init__(self._jumping)
        self.set_task_factory(self._new_task)

    def time(self) -> float:
        return self._jumping.now

    def _new_task(self, loop: asyncio.AbstractEventLoop, body: Any, **options: Any) -> asyncio.Task[Any]:
        return _NumberedTask(next(self._numbers), body, loop=loop, **options)

    def create_future(self) -> asyncio.Future[Any]:
        return _NumberedFuture(next(self._numbers), loop=self)


def run_in_virtual_time(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on a loop with virtual time; raise `Stuck` when it would hang."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
