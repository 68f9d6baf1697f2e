"""Ending requests ahead of their time: those on a retry topic whose connector is gone, or that were cancelled."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import NoReturn

from connectory.domain.errors import Unavailable
from connectory.domain.execution import WaitingRequest
from connectory.executor.jobs import Ending, Job, resumed
from connectory.executor.waiting import Waiting, read_waiting
from connectory.executor.window import Window
from connectory.infra.log import Log
from connectory.infra.messages import Messages

RETRY_SECONDS = 0.5

log = logging.getLogger(__name__)


class Sweep:
    """Reads through the retry topics of a partition when there is reason to, and admits what is to end.

    The records stay where they are. Read in their turn, they do not count any more; while the request has no final
    outcome they are not passed either.
    """

    def __init__(
        self,
        log_: Log,
        messages: Messages,
        partition: int,
        waiting: Waiting,
        *,
        ending: Ending,
        admit: Callable[[Job], None],
        window: Window,
    ) -> None:
        self._log = log_
        self._messages = messages
        self._partition = partition
        self._waiting = waiting
        self._ending = ending
        self._admit = admit
        self._window = window
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """There may be something to end."""
        if len(self._waiting):
            self._asked.set()

    async def run(self, starts: Callable[[], Mapping[str, int]]) -> NoReturn:
        """Sweep whenever it is asked for, until cancelled. `starts` are the offsets to begin at, by topic."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            try:
                await self._through(starts())
            except Unavailable as error:
                log.warning("requests on retry topics are ended later: %s", error)
                self._asked.set()
                await asyncio.sleep(RETRY_SECONDS)

    async def _through(self, starts: Mapping[str, int]) -> None:
        async for each, _ in read_waiting(self._log, self._messages, self._partition, starts):
            if self._ending(each.request) is not None:
                await self._window.room()
                self._end(each)

    def _end(self, waiting: WaitingRequest) -> None:
        """From taking the request to handing it on nothing comes between: it is never in nobody's hands."""
        refusal = self._ending(waiting.request)
        if refusal is not None and self._waiting.take(waiting):
            self._window.take(0)
            job = resumed(waiting, None)
            job.refusal = refusal
            self._admit(job)
