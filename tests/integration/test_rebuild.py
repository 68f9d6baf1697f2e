"""Rebuilding a projection beside the live tables, on a real Postgres."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest

from connectory.domain.delivery import DeliveryPolicy
from connectory.domain.errors import Refused
from connectory.infra.in_memory_log import InMemoryLog
from connectory.infra.messages import Messages
from connectory.infra.postgres import Database, PostgresRowStore, migrate, open_database, second_copy, watch_progress
from connectory.infra.topics import ACTION_DEAD_LETTERS, ACTION_OUTCOMES, CONNECTOR_EVENTS, TopicSpec
from connectory.projector import RebuildReport, rebuild, run_projector
from connectory_projections import ALL, CONNECTORS_BY_SPACE, DEAD_LETTERS, EVENT_LOG
from connectory_projections.connectors_by_space import in_space
from connectory_projections.model import AnyProjection, Query
from tests.dead_letters import letter
from tests.projection_events import (
    NOON,
    created,
    deleted,
    disabled,
    enabled,
    minutes,
    outcome,
    policy_set,
    updated,
)

MESSAGES = Messages()
PROJECTED = (CONNECTORS_BY_SPACE, EVENT_LOG, DEAD_LETTERS)
RETENTION = timedelta(days=90)


class Installation:
    """A log, and a database that follows it while `projecting`."""

    def __init__(self, log: InMemoryLog, database: Database) -> None:
        self.log = log
        self.database = database
        self.written = 0

    @asynccontextmanager
    async def projecting(self) -> AsyncIterator[None]:
        store = PostgresRowStore(self.database, retention=RETENTION, now=lambda: NOON)
        task = asyncio.create_task(run_projector(self.log, MESSAGES, store, PROJECTED))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def publish(self, *events: Any) -> None:
        """Write events or outcomes, and wait until they are applied."""
        topics = [topic_of(each) for each in events]
        messages = [
            MESSAGES.message(topic, each.connector_id, each, at=NOON)
            for topic, each in zip(topics, events, strict=True)
        ]
        names = {projection.topic: projection.name for projection in PROJECTED}
        async with self.log.writer() as writer, watch_progress(self.database) as progress:
            for at in await writer.write(messages):
                assert await progress.wait_for(names[at.topic], at.partition, at.offset, timeout=20)

    async def rebuild(self, projection: AnyProjection) -> RebuildReport:
        return await rebuild(projection, self.log, MESSAGES, self.database, retention=RETENTION, now=lambda: NOON)

    async def rows(self, sql: str) -> list[dict[str, Any]]:
        return await self.database.all(Query(sql, (), dict[str, Any]))

    async def execute(self, sql: str) -> None:
        async with self.database.connection() as connection:
            await connection.execute(sql)


def topic_of(event: Any) -> str:
    return next(projection.topic for projection in PROJECTED if isinstance(event, projection.handles))


@pytest.fixture
async def installation(database_url: str) -> AsyncIterator[Installation]:
    log = InMemoryLog(partitions=3, grace=1.0)
    await log.create_topics([TopicSpec(name) for name in (CONNECTOR_EVENTS, ACTION_OUTCOMES, ACTION_DEAD_LETTERS)])
    async with open_database(database_url) as database:
        await migrate(database, ALL)
        yield Installation(log, database)


async def test_a_rebuild_finds_the_live_tables_to_be_what_the_log_says(installation: Installation) -> None:
    async with installation.projecting():
        await installation.publish(*map(created, "abcd"), updated("a"), deleted("b"))
        await installation.publish(*(outcome(f"e{n}", at=NOON - timedelta(days=10 * n)) for n in range(12)))

        reports = [await installation.rebuild(projection) for projection in (CONNECTORS_BY_SPACE, EVENT_LOG)]

    assert [report.is_same for report in reports] == [True, True]
    assert [report.events for report in reports] == [6, 12]
    assert [each.live.rows for report in reports for each in report.comparisons] == [3, 9]


async def test_a_rebuild_finds_which_connectors_are_disabled_and_limited(installation: Installation) -> None:
    policy = DeliveryPolicy(max_attempts=2, requests_per_second=0.5)
    async with installation.projecting():
        await installation.publish(*map(created, "abc"), disabled("a"), policy_set(policy, "b"), disabled("c"))
        await installation.publish(enabled("c", version=3), updated("a", version=3))

        report = await installation.rebuild(CONNECTORS_BY_SPACE)
        views = await installation.database.all(in_space("default"))

    assert report.is_same
    assert {each.connector_id for each in views if not each.enabled} == {"a"}
    assert {each.connector_id: each.delivery_policy for each in views}["b"] == policy


async def test_a_rebuild_mends_what_has_gone_wrong_and_says_so(installation: Installation) -> None:
    async with installation.projecting():
        await installation.publish(*map(created, "abc"))
        await installation.execute("UPDATE connectors_by_space SET name = 'wrong' WHERE connector_id = 'a'")
        await installation.execute("DELETE FROM connectors_by_space WHERE connector_id = 'b'")

        report = await installation.rebuild(CONNECTORS_BY_SPACE)

    [comparison] = report.comparisons
    assert (comparison.is_same, comparison.live.rows, comparison.rebuilt.rows) == (False, 2, 3)
    assert {each.name for each in await installation.database.all(in_space("default"))} == {"orders"}


async def test_the_projector_goes_on_with_the_rebuilt_tables(installation: Installation) -> None:
    async with installation.projecting():
        await installation.publish(created("a"), outcome("e1"))
        for projection in (CONNECTORS_BY_SPACE, EVENT_LOG):
            await installation.rebuild(projection)

        await installation.publish(created("b"), updated("a", name="new"), outcome("e2"))
        reports = [await installation.rebuild(projection) for projection in (CONNECTORS_BY_SPACE, EVENT_LOG)]

    assert [report.is_same for report in reports] == [True, True]
    assert {each.name for each in await installation.database.all(in_space("default"))} == {"orders", "new"}


async def test_nothing_is_left_of_a_rebuild_but_the_tables(installation: Installation) -> None:
    async with installation.projecting():
        await installation.publish(outcome("e1"))
        before = await installation.rows(
            "SELECT relname, relkind FROM pg_class WHERE relname !~ '^pg_toast' ORDER BY 1, 2"
        )

        await installation.rebuild(EVENT_LOG)

    assert (
        await installation.rows("SELECT relname, relkind FROM pg_class WHERE relname !~ '^pg_toast' ORDER BY 1, 2")
        == before
    )
    assert await installation.rows("SELECT 1 FROM pg_namespace WHERE nspname ~ '^(rebuild|retired)'") == []


async def test_readers_and_writers_go_on_while_a_rebuild_runs(installation: Installation) -> None:
    async with installation.projecting():
        await installation.publish(*(created(f"c{n}") for n in range(200)))
        async with asyncio.TaskGroup() as tasks:
            rebuilding = tasks.create_task(_rebuild_twice(installation))
            seen = tasks.create_task(_counts_until_done(installation, rebuilding))
            tasks.create_task(_update_until_done(installation, rebuilding))

        report = await installation.rebuild(CONNECTORS_BY_SPACE)

    assert set(seen.result()) == {200}
    assert report.is_same
    assert all(each.is_same for each in rebuilding.result())


async def _rebuild_twice(installation: Installation) -> list[RebuildReport]:
    return [await installation.rebuild(CONNECTORS_BY_SPACE) for _ in range(2)]


async def _counts_until_done(installation: Installation, rebuilding: asyncio.Task[Any]) -> list[int]:
    counts = []
    while not rebuilding.done():
        counts.append(len(await installation.database.all(in_space("default"))))
    return counts


async def _update_until_done(installation: Installation, rebuilding: asyncio.Task[Any]) -> None:
    version = 1
    while not rebuilding.done():
        version += 1
        await installation.publish(*(updated(f"c{n}", version=version) for n in range(version % 50)), updated("c0"))


async def test_an_interrupted_rebuild_leaves_the_live_tables_and_the_next_starts_anew(
    installation: Installation,
) -> None:
    async with installation.projecting():
        await installation.publish(created("a"))
        with suppress(RuntimeError):
            async with second_copy(installation.database, CONNECTORS_BY_SPACE) as copy:
                async with copy.database.connection() as connection:
                    await connection.execute("CREATE TABLE half_done ()")
                raise RuntimeError

        report = await installation.rebuild(CONNECTORS_BY_SPACE)

    assert report.is_same
    assert len(await installation.database.all(in_space("default"))) == 1


async def test_only_one_rebuild_of_a_projection_runs_at_a_time(installation: Installation) -> None:
    await installation.database.all(Query("SELECT 1", (), dict))
    async with second_copy(installation.database, CONNECTORS_BY_SPACE):
        with pytest.raises(Refused) as refused:
            await installation.rebuild(CONNECTORS_BY_SPACE)

    assert refused.value.code == "rebuild-running"


async def test_facts_that_have_left_the_log_are_carried_over(installation: Installation) -> None:
    async with installation.projecting():
        await installation.publish(*(outcome(f"e{n}", at=NOON - timedelta(days=80 - n // 5)) for n in range(50)))
        for partition in range(3):
            installation.log.delete_before(ACTION_OUTCOMES, partition, 20)

        report = await installation.rebuild(EVENT_LOG)

    assert (report.is_same, report.carried_over, report.comparisons[0].rebuilt.rows) == (True, 20, 50)


async def test_a_projection_whose_rows_change_is_not_rebuilt_from_half_of_its_events(
    installation: Installation,
) -> None:
    async with installation.projecting():
        await installation.publish(created("a"), updated("a"))
        for partition in range(3):
            installation.log.delete_before(CONNECTOR_EVENTS, partition, 1)

        with pytest.raises(Refused) as refused:
            await installation.rebuild(CONNECTORS_BY_SPACE)

    assert refused.value.code == "log-incomplete"
    assert len(await installation.database.all(in_space("default"))) == 1


async def test_garbage_on_the_topic_is_counted_and_passed_over(installation: Installation) -> None:
    async with installation.projecting():
        installation.log.append_raw(CONNECTOR_EVENTS, 0, b"garbage")
        await installation.publish(*map(created, "abc"))

        report = await installation.rebuild(CONNECTORS_BY_SPACE)

    assert (report.is_same, report.events, report.skipped) == (True, 4, 1)


async def test_letters_whose_records_have_left_the_log_are_carried_over(installation: Installation) -> None:
    async with installation.projecting():
        await installation.publish(letter(1, at=minutes(-1)), letter(2, at=minutes(-1)))
        for partition in range(3):
            installation.log.delete_before(ACTION_DEAD_LETTERS, partition, 1)
        report = await installation.rebuild(DEAD_LETTERS)

    assert (report.carried_over, report.is_same) == (1, True)


async def test_a_row_that_the_database_refuses_is_passed_over(installation: Installation) -> None:
    async with installation.projecting():
        await installation.publish(outcome("e1"), outcome(secrets.token_hex(8000)), outcome("e2"))
        report = await installation.rebuild(EVENT_LOG)

    assert (report.is_same, report.events, report.skipped) == (True, 3, 1)


NOTHING_RETIRES = """
CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
    IF EXISTS (SELECT FROM pg_event_trigger_dropped_objects() WHERE object_type = 'schema'
               AND object_name ~ '^retired') THEN
        RAISE EXCEPTION 'not now' USING ERRCODE = 'query_canceled';
    END IF;
END $$;
CREATE EVENT TRIGGER nothing_retires ON sql_drop EXECUTE FUNCTION refuse();
"""


async def test_former_tables_that_cannot_be_dropped_now_do_not_undo_a_rebuild(
    installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    async with installation.projecting():
        await installation.publish(created("a"))
        await installation.execute(NOTHING_RETIRES)
        report = await installation.rebuild(CONNECTORS_BY_SPACE)

    assert report.is_same
    assert "the former tables stay in the schema retired_connectors_by_space for now" in caplog.text
