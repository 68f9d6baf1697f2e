"""Spaces, as rows."""

from hypothesis import given as for_all
from hypothesis import strategies as st

from connectory.domain.spaces import SpaceCreated, SpaceDeleted, SpaceDeletionBegun, SpaceDetails, SpaceUpdated
from connectory.infra.in_memory_rows import InMemoryRowStore
from connectory_projections.consolidation import consolidate
from connectory_projections.model import Row
from connectory_projections.spaces import SPACES, deletion, get
from tests.projection_events import NOON, changes_of
from tests.records import records_of

SALES = SpaceDetails(name="Sales", disabled_features=("ml",))
PEOPLE = SpaceDetails(name="People")


def created(details: SpaceDetails = SALES, space_id: str = "sales") -> SpaceCreated:
    return SpaceCreated(space_id=space_id, version=1, at=NOON, by=None, command_id="k1", details=details)


def updated(details: SpaceDetails = PEOPLE, space_id: str = "sales") -> SpaceUpdated:
    return SpaceUpdated(space_id=space_id, version=2, at=NOON, by=None, command_id="k2", details=details)


def deletion_begun(space_id: str = "sales") -> SpaceDeletionBegun:
    return SpaceDeletionBegun(space_id=space_id, version=3, at=NOON, by=None, command_id="k3")


def deleted(space_id: str = "sales") -> SpaceDeleted:
    return SpaceDeleted(space_id=space_id, version=4, at=NOON, by=None, command_id="k4")


IDS = st.sampled_from(["sales", "ops"])
EVENTS = st.one_of(
    st.builds(created, records_of(SpaceDetails), IDS),
    st.builds(updated, records_of(SpaceDetails), IDS),
    st.builds(deletion_begun, IDS),
    st.builds(deleted, IDS),
)


async def rows_given(*events: object, merged: bool = False) -> list[Row]:
    store = InMemoryRowStore()
    changes = changes_of(SPACES, events)
    changes = consolidate(SPACES.tables, changes) if merged else changes
    await store.apply(SPACES, 0, changes, expected=0, next_offset=len(events))
    return store.rows("spaces")


@for_all(records_of(SpaceDetails))
async def test_a_space_comes_back_as_it_was_set(details: SpaceDetails) -> None:
    [row] = await rows_given(created(), updated(details))

    assert tuple(row) == SPACES.tables[0].columns
    assert get("sales").read(row).details == details


async def test_a_space_that_is_being_deleted_keeps_its_row_with_the_deletion() -> None:
    [row] = await rows_given(created(), deletion_begun())

    assert deletion("sales").read(row) == "k3"
    assert row["name"] == "Sales"


async def test_a_deleted_space_leaves_nothing_and_may_come_again() -> None:
    assert await rows_given(created(), deletion_begun(), deleted()) == []
    [again] = await rows_given(created(), deletion_begun(), deleted(), created(PEOPLE))
    assert (again["name"], again["deletion_id"]) == ("People", None)


@for_all(st.lists(EVENTS, max_size=8))
async def test_a_batch_that_is_folded_first_has_the_same_effect(events: list[object]) -> None:
    def by_id(row: Row) -> str:
        return str(row["space_id"])

    merged = await rows_given(*events, merged=True)

    assert sorted(merged, key=by_id) == sorted(await rows_given(*events), key=by_id)
