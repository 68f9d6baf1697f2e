"""The projector on Postgres: read your own writes, several projectors, and a database that comes and goes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from connectory.domain.events import ConnectorEvent
from connectory.infra.embedded import embedded_postgres
from connectory.infra.in_memory_log import InMemoryLog
from connectory.infra.log import Position
from connectory.infra.messages import Messages
from connectory.infra.postgres import Database, PostgresRowStore, migrate, open_database, watch_progress
from connectory.infra.topics import ACTION_OUTCOMES, CONNECTOR_EVENTS, TopicSpec
from connectory.projector import run_projector
from connectory_projections import ALL
from connectory_projections.connectors_by_space import get, in_space
from connectory_projections.model import Query
from tests.projection_events import NOON, created, outcome, updated

MESSAGES = Messages()
NAME = "connectors_by_space"


@pytest.fixture
async def log() -> InMemoryLog:
    log = InMemoryLog(partitions=2, grace=1.0)
    await log.create_topics([TopicSpec(CONNECTOR_EVENTS), TopicSpec(ACTION_OUTCOMES)])
    return log


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url) as database:
        await migrate(database, ALL)
        yield database


A_LONG_TIME = timedelta(days=36_500)
"""What is stored here is of a fixed day, and must not be dropped for its age."""


async def publish(log: InMemoryLog, *events: ConnectorEvent) -> list[Position]:
    messages = [MESSAGES.message(CONNECTOR_EVENTS, each.connector_id, each, at=NOON) for each in events]
    async with log.writer() as writer:
        return await writer.write(messages)


@asynccontextmanager
async def projecting(log: InMemoryLog, database: Database) -> AsyncIterator[None]:
    store = PostgresRowStore(database, retention=A_LONG_TIME)
    task = asyncio.create_task(run_projector(log, MESSAGES, store))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_connector_is_read_as_it_was_written(log: InMemoryLog, database: Database) -> None:
    config = {"z": [3, 1, {"b": None, "a": 1e400 > 0}], "n": 12345678901234567890, "f": 1.0, "t": "\0\u2028"}
    async with projecting(log, database), watch_progress(database) as progress:
        [_, last] = await publish(log, created(name="Épée"), updated(name="Épée 2", config=config))
        assert await progress.wait_for(NAME, last.partition, last.offset, timeout=10)

        view = await database.one(get("default", "c1"))

    assert view is not None
    assert (view.name, view.version, view.config) == ("Épée 2", 2, config)
    assert (view.created_at, view.created_by) == (NOON, "ada")


async def test_a_connector_of_another_space_is_not_found(log: InMemoryLog, database: Database) -> None:
    async with projecting(log, database), watch_progress(database) as progress:
        [at] = await publish(log, created(space_id="ops"))
        assert await progress.wait_for(NAME, at.partition, at.offset, timeout=10)

        assert await database.one(get("default", "c1")) is None
        assert await database.one(get("ops", "c1")) is not None


async def test_a_list_is_in_the_order_of_names_then_of_creation(log: InMemoryLog, database: Database) -> None:
    names = ["Zulu", "epee", "alpha", "10th", "_x", "épée", "alpha", "2nd", "#ops"]
    events = [created(f"c{n}", name=name, at=NOON - timedelta(seconds=n)) for n, name in enumerate(names)]
    async with projecting(log, database), watch_progress(database) as progress:
        for at in await publish(log, *events):
            assert await progress.wait_for(NAME, at.partition, at.offset, timeout=10)

        listed = await database.all(in_space("default"))

    assert [each.name for each in listed] == ["_x", "#ops", "10th", "2nd", "alpha", "alpha", "epee", "épée", "Zulu"]
    assert [each.connector_id for each in listed if each.name == "alpha"] == ["c6", "c2"]


async def test_two_projectors_apply_each_event_once(log: InMemoryLog, database: Database) -> None:
    messages = [
        MESSAGES.message(ACTION_OUTCOMES, f"c{n}", outcome(f"e{n}", connector_id=f"c{n}"), at=NOON) for n in range(300)
    ]
    async with projecting(log, database), watch_progress(database) as progress, log.writer() as writer:
        await writer.write(messages[:100])
        async with projecting(log, database):
            await writer.write(messages[100:200])
        written = await writer.write(messages[200:])
        for at in written:
            assert await progress.wait_for("event_log", at.partition, at.offset, timeout=10)

        stored = await database.all(_count("event_log"))

    assert stored == [300]


async def test_the_projector_catches_up_when_the_database_comes_back(log: InMemoryLog, data_dir: Path) -> None:
    async with AsyncExitStack() as stack:
        async with embedded_postgres(data_dir) as server:
            database = await stack.enter_async_context(open_database(server.url))
            await migrate(database, ALL)
            await stack.enter_async_context(projecting(log, database))
            progress = await stack.enter_async_context(watch_progress(database))
            [first] = await publish(log, created("c1"))
            assert await progress.wait_for(NAME, first.partition, first.offset, timeout=10)
        [second] = await publish(log, created("c2"))
        async with embedded_postgres(data_dir):
            assert await progress.wait_for(NAME, second.partition, second.offset, timeout=30)

            assert {each.connector_id for each in await database.all(in_space("default"))} == {"c1", "c2"}


def _count(table: str) -> Query[int]:
    return Query(f"SELECT count(*) AS n FROM {table}", (), lambda row: int(row["n"]))
