"""Hears from the database how far projections have come."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from connectory.infra.postgres.database import Connection, Database
from connectory.infra.postgres.row_store import PROGRESS_CHANNEL
from connectory.infra.progress import Progress, ProgressWatch
from connectory.infra.supervision import keep_running

REREAD_SECONDS = 15.0
"""How often the offsets are read anew beside listening: it finds out a connection that has died without a word."""

log = logging.getLogger(__name__)


@asynccontextmanager
async def watch_progress(database: Database) -> AsyncIterator[ProgressWatch]:
    """Listen on a connection of its own, and connect again when it is lost.

    While the database is away nobody hears of progress, and waiting times out.
    """
    progress = Progress()

    async def listen() -> None:
        await _listen(database, progress)

    async with asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(keep_running("listening for progress", listen))
        try:
            yield progress
        finally:
            listening.cancel()


async def _listen(database: Database, progress: Progress) -> None:
    """Listening starts before the offsets are read, so that nothing falls in between."""
    lost = asyncio.Event()
    async with database.own_connection() as connection:
        connection.add_termination_listener(lambda _: lost.set())
        await connection.add_listener(PROGRESS_CHANNEL, lambda *heard: _heard(progress, *heard))
        while not lost.is_set():
            await _reread(connection, progress)
            await _wait(lost, REREAD_SECONDS)


async def _reread(connection: Connection, progress: Progress) -> None:
    rows = await connection.fetch("SELECT projection, partition, next_offset FROM projection_offsets")
    progress.replace({(row["projection"], row["partition"]): row["next_offset"] for row in rows})


async def _wait(lost: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await lost.wait()
    except TimeoutError:
        return


def _heard(progress: Progress, _: "asyncpg.Connection[Any] | object", pid: int, channel: str, payload: object) -> None:
    """`projection:topic:partition:next_offset`; anybody may notify, so what cannot be read is passed over."""
    match str(payload).split(":"):
        case [projection, _, partition, next_offset] if partition.isdecimal() and next_offset.isdecimal():
            progress.reached(projection, int(partition), int(next_offset))
        case _:
            log.warning("passing over a notification on %s that is not ours: %r", channel, payload)
