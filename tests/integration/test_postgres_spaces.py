"""Spaces in Postgres: what is shown, and in which order."""

from collections.abc import AsyncIterator

import pytest

from connectory.domain.spaces import SpaceDetails
from connectory.infra.postgres import Database, PostgresRowStore, migrate, open_database
from connectory_projections import SPACES
from connectory_projections.spaces import deletion, everything, get
from tests.projection_events import changes_of, minutes
from tests.unit.test_projection_spaces import created, deleted, deletion_begun, updated


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url) as database:
        await migrate(database, [SPACES])
        yield database


async def add(database: Database, *events: object) -> None:
    store = PostgresRowStore(database, retention=minutes(1) - minutes(0))
    expected = await store.next_offset(SPACES, 0)
    end = expected + len(events)
    await store.apply(SPACES, 0, changes_of(SPACES, events), expected=expected, next_offset=end)


async def details(database: Database, space_id: str) -> SpaceDetails | None:
    view = await database.one(get(space_id))
    return view.details if view else None


async def test_spaces_are_sorted_by_code_points_whatever_the_locale(database: Database) -> None:
    names = ["b", "B", "ä", "a\u0000", "\U0001f600", "\uffee"]
    await add(database, *(created(SpaceDetails(name=name), f"s{n}") for n, name in enumerate(names)))

    found = await database.all(everything())

    assert [view.details.name for view in found] == sorted(names)


async def test_what_is_set_comes_back_and_what_is_not_set_is_none(database: Database) -> None:
    full = SpaceDetails(
        name="n", description="", initials="é", color="#aabbcc", image_url="data:image/png;base64,AA", solution="es",
        disabled_features=("\u0000", "\ud800", "ml"),
    )  # fmt: skip
    await add(database, created(space_id="full"), updated(full, "full"), created(space_id="bare"))

    assert await details(database, "full") == full
    assert await details(database, "bare") == SpaceDetails(name="Sales", disabled_features=("ml",))
    assert await details(database, "none") is None


async def test_a_space_that_is_being_deleted_is_not_shown_and_its_deletion_is_known(database: Database) -> None:
    await add(database, created(), deletion_begun(), created(space_id="gone"), deletion_begun("gone"), deleted("gone"))

    assert await database.one(get("sales")) is None
    assert await database.all(everything()) == []
    assert await database.one(deletion("sales")) == "k3"
    assert await database.one(deletion("gone")) is None
