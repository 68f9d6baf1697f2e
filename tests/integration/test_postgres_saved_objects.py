"""The queries behind exports and imports, on Postgres."""

from collections.abc import AsyncIterator, Iterable

import pytest

from connectory.infra.postgres import Database, PostgresRowStore, migrate, open_database
from connectory_projections import CONNECTORS_BY_SPACE
from connectory_projections.connectors_by_space import ConnectorView, by_id, with_ids, with_origins
from tests.projection_events import changes_of, created, deleted, imported, minutes


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url) as database:
        await migrate(database, [CONNECTORS_BY_SPACE])
        store = PostgresRowStore(database, retention=minutes(1) - minutes(0))
        events = [
            *(created(each) for each in ("b", "a", "B", "ä", "gone")),
            deleted("gone"),
            created("other", space_id="blue"),
            imported("copy-2", space_id="blue", origin_id="a\u0000", at=minutes(2)),
            imported("copy-1", space_id="blue", origin_id="a\u0000", at=minutes(3)),
            imported("elsewhere", space_id="red", origin_id="a\u0000"),
        ]
        expected = await store.next_offset(CONNECTORS_BY_SPACE, 0)
        changes = changes_of(CONNECTORS_BY_SPACE, events)
        await store.apply(CONNECTORS_BY_SPACE, 0, changes, expected=expected, next_offset=expected + len(events))
        yield database


def ids(views: Iterable[ConnectorView]) -> list[str]:
    return [view.connector_id for view in views]


async def test_a_space_is_read_by_id_a_page_at_a_time(database: Database) -> None:
    first = ids(await database.all(by_id("default", "", 3)))
    rest = ids(await database.all(by_id("default", first[-1], 3)))

    assert (first, rest) == (["B", "a", "b"], ["ä"])


async def test_ids_are_looked_up_in_all_spaces(database: Database) -> None:
    views = await database.all(with_ids(["a", "other", "gone", "never"]))

    assert {view.connector_id: view.space_id for view in views} == {"a": "default", "other": "blue"}


async def test_copies_are_found_by_their_origin_in_one_space_oldest_first(database: Database) -> None:
    assert ids(await database.all(with_origins("blue", ["a\u0000", "b"]))) == ["copy-2", "copy-1"]
    assert ids(await database.all(with_origins("default", ["a\u0000"]))) == []
