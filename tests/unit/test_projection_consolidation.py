"""One change a key has the effect of many."""

from hypothesis import given as for_all
from hypothesis import strategies as st

from connectory.infra.in_memory_rows import InMemoryRowStore
from connectory_projections.consolidation import consolidate
from connectory_projections.model import AnyProjection, Append, Projection, Put, Remove, Row, RowChange, Table

TABLE = Table("things", columns=("id", "a", "b"), key=("id",))
THINGS: AnyProjection = Projection(
    name="things", topic="things", handles=(object,), tables=(TABLE,), migrations=(), apply=lambda _: []
)

IDS = st.sampled_from("xy")
ROWS = st.builds(lambda id_, a, b: {"id": id_, "a": a, "b": b}, IDS, st.integers(0, 99), st.integers(0, 99))
KEEPS = st.sampled_from([(), ("a",), ("b",), ("a", "b")])
CHANGES = st.lists(
    st.builds(Put, st.just("things"), ROWS, KEEPS)
    | st.builds(Append, st.just("things"), ROWS)
    | st.builds(Remove, st.just("things"), st.tuples(IDS)),
    max_size=6,
)


async def rows_after(stored: list[RowChange], changes: list[RowChange]) -> dict[object, Row]:
    store = InMemoryRowStore()
    await store.apply(THINGS, 0, stored, expected=0, next_offset=1)
    await store.apply(THINGS, 0, changes, expected=1, next_offset=2)
    return {row["id"]: row for row in store.rows("things")}


@for_all(CHANGES, CHANGES)
async def test_consolidated_changes_leave_the_same_rows(stored: list[RowChange], changes: list[RowChange]) -> None:
    consolidated = consolidate([TABLE], changes)

    assert await rows_after(stored, consolidated) == await rows_after(stored, changes)


@for_all(CHANGES)
def test_no_key_is_changed_twice(changes: list[RowChange]) -> None:
    consolidated = consolidate([TABLE], changes)

    keys = [change.key if isinstance(change, Remove) else (change.row["id"],) for change in consolidated]
    assert len(keys) == len(set(keys))
