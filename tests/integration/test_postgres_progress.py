"""Reading one's own writes: hearing from Postgres how far a projection has come."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from connectory.domain.errors import Fenced
from connectory.infra.postgres import Database, PostgresRowStore, migrate, open_database, watch_progress
from connectory_projections import ALL, CONNECTORS_BY_SPACE
from connectory_projections.model import Query
from tests.projection_events import changes_of, created


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url) as database:
        await migrate(database, ALL)
        yield database


@pytest.fixture
async def store(database: Database) -> PostgresRowStore:
    store = PostgresRowStore(database, retention=timedelta(days=90))
    await store.next_offset(CONNECTORS_BY_SPACE, 0)
    return store


async def advance(store: PostgresRowStore, expected: int, next_offset: int) -> None:
    changes = changes_of(CONNECTORS_BY_SPACE, [created()])
    await store.apply(CONNECTORS_BY_SPACE, 0, changes, expected=expected, next_offset=next_offset)


async def test_an_event_is_heard_of_when_it_is_applied(database: Database, store: PostgresRowStore) -> None:
    async with watch_progress(database) as progress:
        waiting = asyncio.create_task(progress.wait_for("connectors_by_space", 0, 4, timeout=10))

        await advance(store, 0, 5)

        assert await waiting


async def test_what_was_applied_before_is_known(database: Database, store: PostgresRowStore) -> None:
    await advance(store, 0, 5)

    async with watch_progress(database) as progress:
        assert await progress.wait_for("connectors_by_space", 0, 4, timeout=10)


async def test_a_batch_that_is_fenced_is_not_heard_of(database: Database, store: PostgresRowStore) -> None:
    async with watch_progress(database) as progress:
        with pytest.raises(Fenced):
            await advance(store, 3, 9)
        await advance(store, 0, 5)

        assert await progress.wait_for("connectors_by_space", 0, 4, timeout=10)
        assert not await progress.wait_for("connectors_by_space", 0, 8, timeout=0)


async def test_a_lost_connection_is_replaced_and_nothing_is_missed(database: Database, store: PostgresRowStore) -> None:
    async with watch_progress(database) as progress:
        await advance(store, 0, 1)
        assert await progress.wait_for("connectors_by_space", 0, 0, timeout=10)
        await database.all(_end_the_listener())
        await advance(store, 1, 5)

        assert await progress.wait_for("connectors_by_space", 0, 4, timeout=10)


def _end_the_listener() -> Query[bool]:
    sql = "SELECT pg_terminate_backend(pid) AS done FROM pg_stat_activity WHERE query LIKE 'LISTEN%' OR query LIKE $1"
    return Query(sql, ("SELECT projection, partition, next_offset%",), lambda row: bool(row["done"]))


async def test_notifications_of_others_are_passed_over(database: Database, store: PostgresRowStore) -> None:
    async with watch_progress(database) as progress:
        for payload in ("", "a:b", "a:b:c:d", "connectors_by_space:t:0:-1"):
            await database.one(Query("SELECT pg_notify('connectory_progress', $1)", (payload,), dict))
        await advance(store, 0, 5)

        assert await progress.wait_for("connectors_by_space", 0, 4, timeout=10)
