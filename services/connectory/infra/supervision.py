"""The outermost loop of a role: the one place where a broad exception is caught.

A role that fails is started again from its durable state, after a wait that grows while it keeps failing, so that a
server that is away is neither forgotten nor hammered.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import NoReturn

from connectory.domain.errors import ConnectoryError, Fenced, causes

FIRST_WAIT = 0.2
LONGEST_WAIT = 10.0
HEALTHY_AFTER = 30.0
"""Seconds of undisturbed running after which the next failure counts as a first one."""

log = logging.getLogger(__name__)


async def keep_running(
    name: str,
    body: Callable[[], Awaitable[None]],
    *,
    first_wait: float = FIRST_WAIT,
    longest_wait: float = LONGEST_WAIT,
) -> NoReturn:
    """Run `body` until cancelled, again and again. `name` stands in the log lines; waits are in seconds."""
    clock = asyncio.get_running_loop().time
    failures = 0
    while True:
        started = clock()
        try:
            await body()
            log.warning("%s ended by itself, starting it again", name)
        except Exception as error:
            _report(name, error)
            _end_if_cancelled()
        failures = 1 if clock() - started > HEALTHY_AFTER else failures + 1
        await asyncio.sleep(_wait(failures, first_wait, longest_wait))


def _end_if_cancelled() -> None:
    """A cancellation that arrives while a task group is failing is lost: the group raises its failures only."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _report(name: str, error: Exception) -> None:
    """What we raise on purpose is one line; anything else is a defect and comes with its traceback."""
    found = causes(error)
    text = "; ".join(dict.fromkeys(map(str, found)))
    if all(isinstance(each, Fenced) for each in found):
        log.info("%s was taken over by another instance, joining anew: %s", name, text)
    elif all(isinstance(each, ConnectoryError) for each in found):
        log.warning("%s failed, starting it again: %s", name, text)
    else:
        log.exception("%s failed unexpectedly, starting it again", name, exc_info=error)


def _wait(failures: int, first_wait: float, longest_wait: float) -> float:
    """Exponential with full jitter in its upper half: several instances do not come back at one moment."""
    ceiling = min(longest_wait, first_wait * 2.0 ** min(failures - 1, 16))
    return ceiling * random.uniform(0.5, 1.0)
