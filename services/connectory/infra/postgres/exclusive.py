"""`PostgresExclusive`: an advisory lock of a session, which ends with its holder however that ends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from connectory.domain.errors import ConnectoryError
from connectory.infra.postgres.database import Database


class PostgresExclusive:
    """Keeps a connection of its own while a name is held: the pool's do not outlast a statement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def hold(self, name: str, otherwise: ConnectoryError) -> AsyncIterator[None]:
        async with self._database.own_connection() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", _key(name)):
                raise otherwise
            yield


def _key(name: str) -> str:
    return f"connectory:{name}"
