"""How far a projection has come."""

import asyncio
from typing import Final

from connectory.infra.postgres import Database
from connectory_projections.model import AnyProjection

POLL_SECONDS: Final = 0.02


async def until_applied(database: Database, projection: AnyProjection, wanted: int) -> int:
    """Wait until so many records are applied; returns how many there are then."""
    while True:
        async with database.connection() as connection:
            offsets = "SELECT coalesce(sum(next_offset), 0) FROM projection_offsets WHERE projection = $1"
            done = int(await connection.fetchval(offsets, projection.name))
        if done >= wanted:
            return done
        await asyncio.sleep(POLL_SECONDS)
