"""What a store of projections promises: held by Postgres and by the twin in memory alike."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, TypeAlias

import pytest

from connectory.domain.delivery import DeliveryPolicy
from connectory.domain.errors import Fenced
from connectory.infra.in_memory_rows import InMemoryRowStore
from connectory.infra.postgres import PostgresRowStore, migrate, open_database
from connectory.projector.ports import RowStore
from connectory_projections import ALL, CONNECTORS_BY_SPACE, DEAD_LETTERS, EVENT_LOG
from connectory_projections.model import AnyProjection, Query, Row
from tests.dead_letters import letter
from tests.projection_events import (
    NOON,
    changes_of,
    config_of,
    created,
    deleted,
    disabled,
    minutes,
    outcome,
    policy_set,
    updated,
)

Rows: TypeAlias = Callable[[AnyProjection], Awaitable[list[Row]]]
RETENTION = timedelta(days=90)
MANY = 100
"""More than what is written statement by statement."""


@pytest.fixture(params=["memory", "postgres"])
def url(request: pytest.FixtureRequest) -> str | None:
    """Where the store is; None for the one in memory."""
    found: str | None = request.getfixturevalue("database_url") if request.param == "postgres" else None
    return found


@pytest.fixture
async def stored(url: str | None) -> AsyncIterator[tuple[RowStore, Rows]]:
    if url is None:
        memory = InMemoryRowStore(retention=RETENTION, now=lambda: NOON)
        yield memory, lambda projection: _remembered(memory, projection)
        return
    async with open_database(url) as database:
        await migrate(database, ALL)
        yield PostgresRowStore(database, retention=RETENTION, now=lambda: NOON), lambda each: database.all(_all(each))


async def _remembered(store: InMemoryRowStore, projection: AnyProjection) -> list[Row]:
    return store.rows(projection.tables[0].name)


def _all(projection: AnyProjection) -> Query[Row]:
    return Query(f"SELECT * FROM {projection.tables[0].name}", (), dict[str, Any])


async def apply(store: RowStore, projection: AnyProjection, events: Sequence[object], *, at: int = 0) -> None:
    await store.apply(projection, 0, changes_of(projection, events), expected=at, next_offset=at + len(events))


async def test_a_projection_starts_at_offset_0(stored: tuple[RowStore, Rows]) -> None:
    store, _ = stored

    assert await store.next_offset(CONNECTORS_BY_SPACE, 3) == 0


async def test_rows_and_offset_are_there_after_a_batch(stored: tuple[RowStore, Rows]) -> None:
    store, rows = stored
    await store.next_offset(CONNECTORS_BY_SPACE, 0)

    await apply(store, CONNECTORS_BY_SPACE, [created("c1"), created("c2")])

    assert await store.next_offset(CONNECTORS_BY_SPACE, 0) == 2
    assert {row["connector_id"] for row in await rows(CONNECTORS_BY_SPACE)} == {"c1", "c2"}


async def test_a_batch_is_fenced_and_leaves_nothing_when_the_offset_has_moved(stored: tuple[RowStore, Rows]) -> None:
    store, rows = stored
    await store.next_offset(CONNECTORS_BY_SPACE, 0)
    await apply(store, CONNECTORS_BY_SPACE, [created("c1")])

    with pytest.raises(Fenced):
        await apply(store, CONNECTORS_BY_SPACE, [created("c2")])

    assert [row["connector_id"] for row in await rows(CONNECTORS_BY_SPACE)] == ["c1"]
    assert await store.next_offset(CONNECTORS_BY_SPACE, 0) == 1


async def test_partitions_and_projections_have_offsets_of_their_own(stored: tuple[RowStore, Rows]) -> None:
    store, _ = stored
    for projection in ALL:
        await store.next_offset(projection, 0)

    await store.apply(CONNECTORS_BY_SPACE, 0, [], expected=0, next_offset=5)

    assert await store.next_offset(CONNECTORS_BY_SPACE, 1) == 0
    assert await store.next_offset(EVENT_LOG, 0) == 0


@pytest.mark.parametrize("count", [1, MANY])
async def test_an_update_keeps_what_the_creation_has_set(stored: tuple[RowStore, Rows], count: int) -> None:
    store, rows = stored
    ids = [f"c{number}" for number in range(count)]
    await store.next_offset(CONNECTORS_BY_SPACE, 0)
    await apply(store, CONNECTORS_BY_SPACE, [created(each, by="ada") for each in ids])

    await apply(store, CONNECTORS_BY_SPACE, [updated(each, by="bob", name="new") for each in ids], at=count)

    found = {
        (row["created_at"], row["created_by"], row["updated_by"], row["name"])
        for row in await rows(CONNECTORS_BY_SPACE)
    }
    assert found == {(NOON, "ada", "bob", "new")}


@pytest.mark.parametrize("split", [0, 1, 2, 3, 4])
async def test_changes_of_parts_of_a_row_add_up_however_they_fall_into_batches(
    stored: tuple[RowStore, Rows], split: int
) -> None:
    store, rows = stored
    policy = DeliveryPolicy(max_attempts=2, requests_per_second=0.5)
    events = [created(by="ada"), disabled(by="bob"), updated(by="eve", name="new"), policy_set(policy, by="kim")]
    await store.next_offset(CONNECTORS_BY_SPACE, 0)

    await apply(store, CONNECTORS_BY_SPACE, events[:split])
    await apply(store, CONNECTORS_BY_SPACE, events[split:], at=split)

    [row] = await rows(CONNECTORS_BY_SPACE)
    assert (row["created_by"], row["updated_by"], row["name"], row["enabled"]) == ("ada", "kim", "new", False)
    assert (row["max_attempts"], row["requests_per_second"], row["burst"]) == (2, 0.5, None)


async def test_changes_of_one_batch_take_effect_in_their_order(stored: tuple[RowStore, Rows]) -> None:
    store, rows = stored
    await store.next_offset(CONNECTORS_BY_SPACE, 0)
    await apply(store, CONNECTORS_BY_SPACE, [created("c1"), created("c2"), created("c3")])

    batch = [deleted("c1"), updated("c2"), deleted("c3"), created("c3", at=minutes(9)), updated("c3", at=minutes(10))]
    await apply(store, CONNECTORS_BY_SPACE, batch, at=3)

    found = {row["connector_id"]: row["created_at"] for row in await rows(CONNECTORS_BY_SPACE)}
    assert found == {"c2": NOON, "c3": minutes(9)}


@pytest.mark.parametrize("count", [1, MANY])
async def test_facts_that_come_again_stay_as_they_first_were(stored: tuple[RowStore, Rows], count: int) -> None:
    store, rows = stored
    await store.next_offset(EVENT_LOG, 0)
    await apply(store, EVENT_LOG, [outcome(f"e{number}", message="first") for number in range(count)])

    again = [outcome(f"e{number}", message="again") for number in range(count + 1)]
    await apply(store, EVENT_LOG, again, at=count)

    found = {row["execution_id"]: row["message"] for row in await rows(EVENT_LOG)}
    assert found == {**{f"e{number}": "first" for number in range(count)}, f"e{count}": "again"}


async def test_days_that_have_ended_before_the_retention_are_dropped(stored: tuple[RowStore, Rows]) -> None:
    store, rows = stored
    days = {"new": 0, "kept": 90, "expired": 91, "ancient": 20_000, "future": -900_000}
    await store.next_offset(EVENT_LOG, 0)
    await apply(store, EVENT_LOG, [outcome(name, at=NOON - timedelta(days=age)) for name, age in days.items()])

    await store.drop_expired(EVENT_LOG)

    assert {row["execution_id"] for row in await rows(EVENT_LOG)} == {"new", "kept", "future"}


async def test_rows_that_change_expire_with_their_day_too(stored: tuple[RowStore, Rows]) -> None:
    store, rows = stored
    await store.next_offset(DEAD_LETTERS, 0)
    days = [0, 90, 91, 200]
    await apply(store, DEAD_LETTERS, [letter(age, at=NOON - timedelta(days=age)) for age in days])

    await store.drop_expired(DEAD_LETTERS)

    assert {row["record_offset"] for row in await rows(DEAD_LETTERS)} == {0, 90}


async def test_any_text_can_be_stored(stored: tuple[RowStore, Rows]) -> None:
    store, rows = stored
    await store.next_offset(CONNECTORS_BY_SPACE, 0)

    await apply(store, CONNECTORS_BY_SPACE, [created("a\0b", name="\0\x01", config={"k\0": "\ud800\0", "n": 1e23})])

    [row] = await rows(CONNECTORS_BY_SPACE)
    assert config_of(row) == {"k\0": "\ud800\0", "n": 1e23}
