"""Single statements on a PostgreSQL server, each on a connection of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg


async def execute(url: str, statement: str) -> None:
    async with _connection(url) as connection:
        await connection.execute(statement)


async def value(url: str, query: str) -> object:
    """The first column of the first row."""
    async with _connection(url) as connection:
        return await connection.fetchval(query)


@asynccontextmanager
async def _connection(url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()
