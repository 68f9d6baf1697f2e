"""What the database keeps for the installation as a whole: who does what alone, and the key it was started with."""

import pytest

from connectory.domain.errors import Refused
from connectory.infra.postgres import PostgresExclusive, PostgresKeptKey, migrate, open_database
from connectory_projections import ALL
from connectory_projections.model import Query

BUSY = Refused("busy", "somebody else does it")
END_HOLDERS = (
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
)


async def test_a_name_has_one_holder_whatever_the_process(database_url: str) -> None:
    async with open_database(database_url) as one, open_database(database_url) as other:
        async with PostgresExclusive(one).hold("things", BUSY):
            with pytest.raises(Refused, match="somebody else does it"):
                async with PostgresExclusive(other).hold("things", BUSY):
                    pass
            async with PostgresExclusive(other).hold("other-things", BUSY):
                pass
        async with PostgresExclusive(other).hold("things", BUSY):
            pass


async def test_a_name_is_free_again_when_its_holder_has_vanished(database_url: str) -> None:
    async with (
        open_database(database_url) as one,
        open_database(database_url) as other,
        PostgresExclusive(one).hold("things", BUSY),
    ):
        await other.all(Query(END_HOLDERS, (), dict))
        async with PostgresExclusive(other).hold("things", BUSY):
            pass


async def test_the_key_of_an_installation_is_kept_by_its_fingerprint(database_url: str) -> None:
    async with open_database(database_url) as database:
        await migrate(database, ALL)
        kept = PostgresKeptKey(database)
        seen = [await kept.get()]
        for key_id in ("one", "two", "two"):
            await kept.keep(key_id)
            seen.append(await kept.get())

    assert seen == [None, "one", "two", "two"]
