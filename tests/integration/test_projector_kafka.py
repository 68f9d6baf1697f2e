"""The projector between a real Kafka and a real Postgres, where transactions leave markers among the records."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest

from connectory.domain.events import ConnectorEvent
from connectory.infra.kafka import open_kafka_log
from connectory.infra.log import Log, Position, Transactions
from connectory.infra.messages import Messages
from connectory.infra.postgres import Database, PostgresRowStore, migrate, open_database, watch_progress
from connectory.infra.settings import KafkaSettings
from connectory.infra.topics import ACTION_OUTCOMES, CONNECTOR_EVENTS, TopicSpec
from connectory.projector import rebuild, run_projector
from connectory_projections import ALL, CONNECTORS_BY_SPACE
from connectory_projections.connectors_by_space import in_space
from tests.projection_events import NOON, created, updated

MESSAGES = Messages()
RETENTION = timedelta(days=90)


@pytest.fixture
async def log(kafka_bootstrap: str, topic_prefix: str) -> AsyncIterator[Log]:
    settings = KafkaSettings(bootstrap_servers=kafka_bootstrap, topic_prefix=topic_prefix, partitions=2)
    async with open_kafka_log(settings, session_timeout=6.0, heartbeat_interval=0.3) as log:
        await log.create_topics([TopicSpec(CONNECTOR_EVENTS), TopicSpec(ACTION_OUTCOMES)])
        yield log


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url) as database:
        await migrate(database, ALL)
        yield database


@asynccontextmanager
async def projecting(log: Log, database: Database) -> AsyncIterator[None]:
    task = asyncio.create_task(run_projector(log, MESSAGES, PostgresRowStore(database, retention=RETENTION)))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def commit(transactions: Transactions, *events: ConnectorEvent) -> list[Position]:
    messages = [MESSAGES.message(CONNECTOR_EVENTS, each.connector_id, each, at=NOON) for each in events]
    async with transactions.begin() as transaction:
        return await transaction.write(messages)


async def abort(transactions: Transactions, event: ConnectorEvent) -> None:
    with suppress(ZeroDivisionError):
        async with transactions.begin() as transaction:
            await transaction.write([MESSAGES.message(CONNECTOR_EVENTS, event.connector_id, event, at=NOON)])
            raise ZeroDivisionError


async def test_what_is_committed_is_projected_and_rebuilt_and_what_is_aborted_is_not(
    log: Log, database: Database, topic_prefix: str
) -> None:
    async with (
        projecting(log, database),
        watch_progress(database) as progress,
        log.transactions(f"{topic_prefix}writer") as transactions,
    ):
        await commit(transactions, *(created(f"c{n}") for n in range(9)))
        await abort(transactions, created("never"))
        for at in await commit(transactions, *(updated(f"c{n}", name=f"n{n}") for n in range(9))):
            assert await progress.wait_for("connectors_by_space", at.partition, at.offset, timeout=30)
        await abort(transactions, created("never"))

        report = await rebuild(CONNECTORS_BY_SPACE, log, MESSAGES, database, retention=RETENTION)
        [last] = await commit(transactions, updated("c0", name="last", version=3))
        assert await progress.wait_for("connectors_by_space", last.partition, last.offset, timeout=30)

    assert (report.is_same, report.events, report.skipped) == (True, 18, 0)
    names = [each.name for each in await database.all(in_space("default"))]
    assert names == ["last", *(f"n{n}" for n in range(1, 9))]
