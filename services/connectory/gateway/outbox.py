"""The gateway's way onto the log: one producer, opened as soon as the broker is there."""

import asyncio
from typing import NoReturn

from connectory.domain.errors import Unavailable
from connectory.infra.log import Log, Writer
from connectory.infra.supervision import keep_running

LONGEST_WAIT = 2.0
"""Seconds between attempts to reach the broker."""


class Outbox:
    """Holds the producer that all changes and requests go through."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._writer: Writer | None = None

    async def run(self) -> NoReturn:
        """Hold the producer open until cancelled."""
        await keep_running("the gateway's producer", self._hold, longest_wait=LONGEST_WAIT)

    @property
    def writer(self) -> Writer:
        """For any number of callers at once. Raises `Unavailable` until the broker was reached."""
        if self._writer is None:
            raise Unavailable("The broker cannot be reached, so nothing was accepted. Try again later.")
        return self._writer

    async def _hold(self) -> None:
        async with self._log.writer() as writer:
            self._writer = writer
            try:
                await asyncio.Event().wait()
            finally:
                self._writer = None
