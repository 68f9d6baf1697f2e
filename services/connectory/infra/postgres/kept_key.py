"""`PostgresKeptKey`: the fingerprint of the encryption key that the installation was last started with."""

from typing import Final

from connectory.infra.postgres.database import Database
from connectory_projections.model import Query

_GET: Final = Query("SELECT key_id FROM kept_key", (), lambda row: str(row["key_id"]))
_KEEP: Final = """
INSERT INTO kept_key (key_id) VALUES ($1)
ON CONFLICT (only_one) DO UPDATE SET key_id = excluded.key_id, since = now()
"""


class PostgresKeptKey:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self) -> str | None:
        return await self._database.one(_GET)

    async def keep(self, key_id: str) -> None:
        async with self._database.connection() as connection:
            await connection.execute(_KEEP, key_id)
