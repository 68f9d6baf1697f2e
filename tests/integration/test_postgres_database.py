"""The database as roles use it: queries, and errors that say what is wrong without saying the password."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from connectory.domain.errors import SettingsInvalid, Unavailable
from connectory.infra.embedded.ports import choose_port
from connectory.infra.postgres import migrate, open_database
from connectory_projections import ALL, CONNECTORS_BY_SPACE
from connectory_projections.model import Migration, Query


def query(sql: str, *args: object) -> Query[dict[str, Any]]:
    return Query(sql, args, dict)


async def test_a_query_answers_one_row_or_none_or_all(database_url: str) -> None:
    async with open_database(database_url) as database:
        assert await database.one(query("SELECT $1::int AS n", 7)) == {"n": 7}
        assert await database.one(query("SELECT 1 AS n WHERE false")) is None
        assert await database.all(query("SELECT n FROM generate_series(1, 2) n")) == [{"n": 1}, {"n": 2}]


async def test_connections_are_given_in_the_order_in_which_they_are_asked_for(database_url: str) -> None:
    asked, given = count(), list[int]()
    async with open_database(database_url, max_connections=1) as database:

        async def ask() -> None:
            for _ in range(10):
                number = next(asked)
                async with database.connection() as connection:
                    given.append(number)
                    await connection.fetchval("SELECT 1")

        async with asyncio.TaskGroup() as tasks:
            for _ in range(8):
                tasks.create_task(ask())

    assert given == list(range(80))


async def test_a_connection_that_is_not_free_in_time_is_no_connection(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_database(database_url, max_connections=1) as database, database.connection():
        monkeypatch.setattr("connectory.infra.postgres.database.CONNECT_SECONDS", 0.05)
        with pytest.raises(Unavailable):
            await database.one(query("SELECT 1"))


async def test_a_statement_that_runs_too_long_is_ended(database_url: str) -> None:
    async with open_database(database_url, statement_timeout=timedelta(milliseconds=50)) as database:
        with pytest.raises(Unavailable, match="statement timeout"):
            await database.one(query("SELECT pg_sleep(60)"))


async def test_a_database_that_is_away_is_named_without_its_password() -> None:
    port = choose_port(None, setting="")
    async with open_database(f"postgresql://ada:sesame@127.0.0.1:{port}/things") as database:
        with pytest.raises(Unavailable) as away:
            await database.one(query("SELECT 1"))

    assert f"127.0.0.1:{port}/things" in str(away.value)
    assert "sesame" not in str(away.value)


async def test_a_wrong_password_is_a_matter_of_settings(database_url: str) -> None:
    server = database_url.rpartition("@")[2]
    async with open_database(f"postgresql://postgres:sesame@{server}") as database:
        with pytest.raises(SettingsInvalid) as refused:
            await database.one(query("SELECT 1"))

    assert "sesame" not in str(refused.value)


@pytest.mark.parametrize("url", ["sesame", "mysql://ada:sesame@host/x", "postgresql://ada:se#sam/e@host:5432/x"])
async def test_a_url_that_cannot_be_understood_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        async with open_database(url):
            pass

    assert "sam" not in str(refused.value)


async def test_tables_that_are_not_there_yet_are_waited_for_like_a_database_that_is_away(database_url: str) -> None:
    async with open_database(database_url) as database:
        with pytest.raises(Unavailable, match="a projector makes them"):
            await database.one(query("SELECT * FROM connectors_by_space"))


async def test_a_lost_connection_is_replaced(database_url: str) -> None:
    async with open_database(database_url, max_connections=1) as database, open_database(database_url) as other:
        mine = await database.one(query("SELECT pg_backend_pid() AS pid"))
        assert mine is not None
        await other.one(query("SELECT pg_terminate_backend($1)", mine["pid"]))

        with suppress(Unavailable):  # the first to use it may find it out
            await database.one(query("SELECT 1"))

        assert await database.one(query("SELECT 1 AS n")) == {"n": 1}


async def test_migrations_are_applied_once_however_many_start_together(database_url: str) -> None:
    async with open_database(database_url) as database:
        done = await asyncio.gather(*(migrate(database, ALL) for _ in range(4)))

        assert [bool(each) for each in sorted(done)] == [False, False, False, True]
        assert await migrate(database, ALL) == []


async def test_a_migration_takes_as_long_as_it_takes(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectory.infra.postgres.database.CONNECT_SECONDS", 1.0)
    slow = Migration(scope="slow", number=1, name="slow", sql="SELECT pg_sleep(1.5)", checksum="")
    async with open_database(database_url, statement_timeout=timedelta(milliseconds=100)) as database:
        assert "slow/0001_slow" in await migrate(database, [_with_migrations(slow)])


async def test_a_migration_that_was_edited_after_its_release_is_refused(database_url: str) -> None:
    async with open_database(database_url) as database:
        await migrate(database, ALL)
        step, *_ = CONNECTORS_BY_SPACE.migrations
        edited = Migration(step.scope, step.number, step.name, "SELECT 1", "other")

        with pytest.raises(SettingsInvalid, match="must not be edited"):
            await migrate(database, [_with_migrations(edited)])


async def test_a_later_migration_is_applied_to_the_tables_that_are_there(database_url: str) -> None:
    later = Migration("connectors_by_space", 9999, "notes", "ALTER TABLE connectors_by_space ADD COLUMN note text", "c")
    async with open_database(database_url) as database:
        await migrate(database, ALL)

        done = await migrate(database, [_with_migrations(*CONNECTORS_BY_SPACE.migrations, later)])

        assert done == ["connectors_by_space/9999_notes"]
        assert await database.all(query("SELECT note FROM connectors_by_space")) == []


def _with_migrations(*migrations: Migration) -> Any:
    return replace(CONNECTORS_BY_SPACE, migrations=migrations)
