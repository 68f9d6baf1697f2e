"""The history of connectors in Postgres answers as its twin in memory does."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from connectory.domain.delivery import DeliveryPolicy
from connectory.gateway.history import ConnectorHistory, QueriedHistory
from connectory.infra.in_memory_rows import InMemoryRowStore
from connectory.infra.postgres import PostgresRowStore, migrate, open_database
from connectory_projections import CONNECTOR_HISTORY
from connectory_projections.connector_history import HistoryPage
from tests.history_read_model import InMemoryHistory
from tests.projection_events import (
    changes_of,
    created,
    deleted,
    disabled,
    imported,
    minutes,
    policy_set,
    restored,
    rewrapped,
    updated,
)

EVENTS = (
    created(name="b"),
    created("c2", name="a", config={"n": 1.0, "none": None}),
    created("c3", space_id="red"),
    policy_set(DeliveryPolicy(burst=2), at=minutes(1)),
    disabled(version=3, at=minutes(2), by="bob"),
    updated("c2", name="\u00e4\x00", at=minutes(2), config={}),
    deleted(version=4),
    imported(at=minutes(4), origin_id="o1", by=None),
    policy_set(DeliveryPolicy(burst=3), version=2, at=minutes(5)),
    rewrapped("c2", version=3, at=minutes(5)),
    restored("c2", version=4, at=minutes(6)),
    disabled("c9", at=minutes(6)),
)


@dataclass
class Both:
    queried: ConnectorHistory
    twin: ConnectorHistory


async def nothing_away() -> None:
    """The twin can be reached."""


@pytest.fixture
async def both(database_url: str) -> AsyncIterator[Both]:
    changes, end = changes_of(CONNECTOR_HISTORY, EVENTS), len(EVENTS)
    memory = InMemoryRowStore()
    await memory.apply(CONNECTOR_HISTORY, 0, changes, expected=0, next_offset=end)
    async with open_database(database_url) as database:
        await migrate(database, [CONNECTOR_HISTORY])
        store = PostgresRowStore(database, retention=minutes(1) - minutes(0))
        await store.next_offset(CONNECTOR_HISTORY, 0)
        await store.apply(CONNECTOR_HISTORY, 0, changes, expected=0, next_offset=end)
        yield Both(QueriedHistory(database), InMemoryHistory(memory, nothing_away))


async def pages(history: ConnectorHistory, connector_id: str) -> list[HistoryPage]:
    found = [await history.page("default", connector_id, 2, None)]
    while found[-1].next_cursor:
        found.append(await history.page("default", connector_id, 2, found[-1].next_cursor))
    return found


@pytest.mark.parametrize("connector_id", ["c1", "c2", "c3", "c9"])
async def test_changes_are_told_newest_first_page_by_page(both: Both, connector_id: str) -> None:
    assert await pages(both.queried, connector_id) == await pages(both.twin, connector_id)


async def test_connectors_are_shown_as_they_were(both: Both) -> None:
    for minute in (-1, 0, 1, 2, 3, 3.5, 4, 5, 6):
        at = minutes(minute)
        assert await both.queried.all_as_of("default", at) == await both.twin.all_as_of("default", at)
        assert await both.queried.as_of("default", "c1", at) == await both.twin.as_of("default", "c1", at)
    assert [view.name for view in await both.queried.all_as_of("default", minutes(2))] == ["\u00e4\x00", "b"]


@pytest.mark.parametrize("connector_id", ["c1", "c2", "c9"])
async def test_versions_are_found_by_their_numbers(both: Both, connector_id: str) -> None:
    for version in range(6):
        found = [await each.at_version("default", connector_id, version) for each in (both.queried, both.twin)]
        assert found[0] == found[1]
