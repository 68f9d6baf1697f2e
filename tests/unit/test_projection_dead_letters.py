"""Dead letters as rows, whatever order they and what was done about them arrive in."""

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from connectory.domain.dead_letters import DeadLetter, DeadLetterSettled
from connectory.domain.errors import Refused
from connectory.infra.in_memory_rows import InMemoryRowStore
from connectory_projections.consolidation import consolidate
from connectory_projections.dead_letters import (
    DEAD_LETTERS,
    DeadLetterFilter,
    KeptLetter,
    Scope,
    at_places,
    letter_id,
    newest,
    place_of_id,
)
from connectory_projections.model import Row
from connectory_projections.paging import write_cursor
from tests.dead_letters import letter, settled, undecodable
from tests.projection_events import NOON, changes_of, minutes
from tests.records import records_of

EVENTS = st.lists(
    st.one_of(
        st.builds(letter, st.sampled_from([1, 2]), reason=st.sampled_from(["given-up", "in-doubt"])),
        st.builds(settled, st.sampled_from([1, 2]), redriven_as=st.none() | st.just("again")),
    ),
    max_size=8,
)


async def rows_given(*events: object, merged: bool = False) -> list[Row]:
    store = InMemoryRowStore()
    changes = changes_of(DEAD_LETTERS, events)
    changes = consolidate(DEAD_LETTERS.tables, changes) if merged else changes
    await store.apply(DEAD_LETTERS, 0, changes, expected=0, next_offset=len(events))
    return store.rows("dead_letters")


def kept(row: Row) -> KeptLetter:
    return at_places(Scope(), []).read({**row, "value_bytes": 0})


@for_all(records_of(DeadLetter))
async def test_a_letter_comes_back_as_it_was(one: DeadLetter) -> None:
    [row] = await rows_given(one)

    assert tuple(row) == DEAD_LETTERS.tables[0].columns
    assert kept(row).letter == one


async def test_a_letter_is_open_until_it_is_settled() -> None:
    rows = await rows_given(letter(1), letter(2), letter(3), settled(2), settled(3, redriven_as="again"))

    assert [(row["status"], row["redriven_as"]) for row in rows] == [
        ("open", None),
        ("dropped", None),
        ("redriven", "again"),
    ]


async def test_a_letter_that_is_written_again_after_a_crash_stays_settled() -> None:
    [row] = await rows_given(letter(1), settled(1, redriven_as="again", by="ada"), letter(1, at=minutes(1)))

    assert (row["status"], row["settled_by"], row["at"]) == ("redriven", "ada", minutes(1))


@for_all(EVENTS)
async def test_a_batch_that_is_folded_first_has_the_same_effect(events: list[DeadLetter | DeadLetterSettled]) -> None:
    def by_place(row: Row) -> str:
        return str(row["record_offset"])

    merged = await rows_given(*events, merged=True)

    assert sorted(merged, key=by_place) == sorted(await rows_given(*events), key=by_place)


@for_all(st.text(), st.integers(0, 2**31 - 1), st.integers(0, 10**18 - 1))
def test_an_id_leads_back_to_its_place(topic: str, partition: int, offset: int) -> None:
    place = place_of_id(letter_id((topic, partition, offset)))

    assert place is not None
    assert place[1:] == (partition, offset)


@pytest.mark.parametrize("text", ["", "3.42", "a.b.c", "t.-1.2", "t.1", "t.1.", "t.99999999999.1", f"t.1.{10**19}"])
def test_what_is_no_id(text: str) -> None:
    assert place_of_id(text) is None


def test_a_cursor_that_names_no_letter_is_refused() -> None:
    with pytest.raises(Refused, match="start without a cursor"):
        newest(Scope(), DeadLetterFilter(), limit=1, cursor=write_cursor(NOON, "nothing"))


async def test_an_undecodable_record_belongs_to_no_space() -> None:
    [row] = await rows_given(undecodable(7))

    assert (kept(row).item["id"], kept(row).item["space_id"]) == ("action-requests.0.7", None)
