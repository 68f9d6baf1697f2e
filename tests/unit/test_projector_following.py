"""Following the log, on the twins in memory: whatever is on the topic and however the store behaves."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from connectory.domain.errors import Fenced, Refused, RowsRefused, Unavailable
from connectory.domain.events import ConnectorEvent
from connectory.infra.in_memory_log import InMemoryLog
from connectory.infra.in_memory_rows import InMemoryRowStore
from connectory.infra.messages import Messages
from connectory.infra.topics import CONNECTOR_EVENTS, TopicSpec
from connectory.projector.following import follow
from connectory_projections import CONNECTORS_BY_SPACE
from connectory_projections.model import AnyProjection, Put, RowChange
from tests.projection_events import NOON, created, deleted, updated
from tests.waiting import until

MESSAGES = Messages()
Before = Callable[[Sequence[RowChange]], Awaitable[None]]


class TroubledRowStore(InMemoryRowStore):
    """A store that does as told before it takes a batch."""

    def __init__(self, before: Before) -> None:
        super().__init__()
        self._before = before

    async def apply(
        self,
        projection: AnyProjection,
        partition: int,
        changes: Sequence[RowChange],
        *,
        expected: int,
        next_offset: int,
    ) -> None:
        await self._before(changes)
        await super().apply(projection, partition, changes, expected=expected, next_offset=next_offset)


@pytest.fixture
async def log() -> InMemoryLog:
    log = InMemoryLog(partitions=1, grace=1.0)
    await log.create_topics([TopicSpec(CONNECTOR_EVENTS)])
    return log


async def publish(log: InMemoryLog, *events: ConnectorEvent) -> None:
    async with log.writer() as writer:
        await writer.write([MESSAGES.message(CONNECTOR_EVENTS, each.connector_id, each, at=NOON) for each in events])


@asynccontextmanager
async def following(log: InMemoryLog, store: InMemoryRowStore) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(follow(log, MESSAGES, store, CONNECTORS_BY_SPACE))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


def ids(store: InMemoryRowStore) -> set[object]:
    return {row["connector_id"] for row in store.rows("connectors_by_space")}


async def test_events_become_rows_as_they_come(log: InMemoryLog) -> None:
    store = InMemoryRowStore()
    await publish(log, created("c1"), created("c2"))
    async with following(log, store):
        await until(lambda: ids(store) == {"c1", "c2"})
        await publish(log, deleted("c1"))

        await until(lambda: ids(store) == {"c2"})


async def test_following_goes_on_where_the_rows_are(log: InMemoryLog) -> None:
    store = InMemoryRowStore()
    await publish(log, created("c1"))
    async with following(log, store):
        await until(lambda: ids(store) == {"c1"})
    store.tables.clear()
    await publish(log, created("c2"))

    async with following(log, store):
        await until(lambda: ids(store) == {"c2"})


async def test_garbage_on_the_topic_is_passed_over_and_the_offset_moves_on(
    log: InMemoryLog, caplog: pytest.LogCaptureFixture
) -> None:
    store = InMemoryRowStore()
    await publish(log, created("c1"))
    for value in (None, b"", b"\x00\x00\x00\x00\x07random", b"\xff" * 50, MESSAGES.encode(created())[:-4]):
        log.append_raw(CONNECTOR_EVENTS, 0, value)
    await publish(log, created("c2"))

    async with following(log, store):
        await until(lambda: ids(store) == {"c1", "c2"})

    assert await store.next_offset(CONNECTORS_BY_SPACE, 0) == 7
    assert "(5 skipped so far)" in caplog.text


async def test_a_store_that_is_away_is_waited_for_and_nothing_is_lost(log: InMemoryLog) -> None:
    answers = iter([Unavailable("away"), Unavailable("still away")])

    async def away_at_first(_: Sequence[RowChange]) -> None:
        if error := next(answers, None):
            raise error

    store = TroubledRowStore(away_at_first)
    await publish(log, created("c1"), updated("c1", name="new"))

    async with following(log, store):
        await until(lambda: [row["name"] for row in store.rows("connectors_by_space")] == ["new"])


async def test_waiting_for_the_store_ends_when_the_partition_is_taken_away(log: InMemoryLog) -> None:
    asked = asyncio.Event()

    async def always_away(_: Sequence[RowChange]) -> None:
        asked.set()
        raise Unavailable("away")

    await publish(log, created("c1"))
    async with following(log, TroubledRowStore(always_away)) as task:
        await asked.wait()
        task.cancel()
        async with asyncio.timeout(5):
            await asyncio.wait([task])

    assert task.cancelled()


async def test_a_row_that_the_store_refuses_is_passed_over_alone(
    log: InMemoryLog, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse_the_bad(changes: Sequence[RowChange]) -> None:
        if any(isinstance(change, Put) and change.row["name"] == "bad" for change in changes):
            raise RowsRefused("no bad names")

    store = TroubledRowStore(refuse_the_bad)
    await publish(log, *(created(f"c{number}", name="bad" if number == 3 else "good") for number in range(7)))

    async with following(log, store):
        await until(lambda: ids(store) == {"c0", "c1", "c2", "c4", "c5", "c6"})

    assert f"{CONNECTOR_EVENTS}[0]@3 (1 skipped so far): no bad names" in caplog.text


async def test_following_ends_when_another_instance_has_moved_the_offset(log: InMemoryLog) -> None:
    async def somebody_else_is_faster(_: Sequence[RowChange]) -> None:
        await other.apply(CONNECTORS_BY_SPACE, 0, [], expected=0, next_offset=1)
        raise Fenced("the offset is 1")

    other = InMemoryRowStore()
    await publish(log, created("c1"))

    async with asyncio.timeout(5):
        with pytest.raises(Fenced):
            await follow(log, MESSAGES, TroubledRowStore(somebody_else_is_faster), CONNECTORS_BY_SPACE)


async def test_records_that_the_log_has_deleted_are_passed_over_with_a_warning(
    log: InMemoryLog, caplog: pytest.LogCaptureFixture
) -> None:
    store = InMemoryRowStore()
    await store.apply(CONNECTORS_BY_SPACE, 0, [], expected=0, next_offset=1)
    await publish(log, created("c0"), created("c1"), created("c2"))
    log.delete_before(CONNECTOR_EVENTS, 0, 2)

    with caplog.at_level(logging.WARNING):
        async with following(log, store):
            await until(lambda: ids(store) == {"c2"})

    assert "begins at 2, behind the offset 1" in caplog.text


async def test_a_database_that_is_ahead_of_the_log_is_refused(log: InMemoryLog) -> None:
    store = InMemoryRowStore()
    await store.apply(CONNECTORS_BY_SPACE, 0, [], expected=0, next_offset=9)

    with pytest.raises(Refused, match="the database is that of another log"):
        await follow(log, MESSAGES, store, CONNECTORS_BY_SPACE)


async def test_the_group_shows_how_far_it_has_come(log: InMemoryLog) -> None:
    store = InMemoryRowStore()
    await publish(log, created("c1"), created("c2"))

    async with following(log, store):
        shown = await until(lambda: log.progress("projector-connectors_by_space"))

    assert shown[CONNECTOR_EVENTS, 0].offset == 2
