"""How long-running commands begin and end: the event loop, the log of the program, and signals."""

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, NoReturn, TypeVar

SIGNALS = (signal.SIGINT, signal.SIGTERM)

T = TypeVar("T")
log = logging.getLogger(__name__)


def run_until_signal(main: Coroutine[Any, Any, None]) -> None:
    """Run to the end, or until SIGINT or SIGTERM asks to end in good order. A second signal ends at once."""
    run_busy(_until_signal(main))


def run_busy(main: Coroutine[Any, Any, T]) -> T:
    """Run what has much to do, and return its result."""
    _collect_garbage_rarely()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(main)


def _collect_garbage_rarely() -> None:
    """A busy executor holds tens of thousands of short-lived objects, none of them in cycles.

    With the default of a look at every 700 new ones a third of its time went into the cycle collector, which also went
    through all that was imported each time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


async def _until_signal(main: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(main)
    ending = False

    def end(number: signal.Signals) -> None:
        nonlocal ending
        if ending:
            _end_at_once(number)
        ending = True
        log.info("ending in good order on %s; a second one ends at once", number.name)
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, end, number)
    try:
        await task
    except asyncio.CancelledError:
        if not ending:
            raise


def _end_at_once(number: signal.Signals) -> NoReturn:
    """As the signal does by default. Embedded servers notice, and end as well."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    with suppress(InterruptedError):
        signal.pause()
    raise SystemExit(1)
