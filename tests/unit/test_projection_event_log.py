"""Outcomes as rows, rows as items, and pages that go on where the last one ended."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from connectory.domain.errors import Refused
from connectory.domain.execution import Action, Outcome
from connectory.infra.in_memory_rows import InMemoryRowStore
from connectory_projections.event_log import EVENT_LOG, EventLogEntry, EventLogFilter, page, page_of
from connectory_projections.model import Append, Row
from tests.projection_events import changes_of, minutes, outcome
from tests.records import records_of


async def rows_given(*outcomes: Outcome) -> list[Row]:
    store = InMemoryRowStore()
    await store.apply(EVENT_LOG, 0, changes_of(EVENT_LOG, outcomes), expected=0, next_offset=len(outcomes))
    return store.rows("event_log")


def entry_of(row: Row) -> EventLogEntry:
    return page("default").read(row)


async def test_an_item_has_the_documented_keys() -> None:
    [row] = await rows_given(outcome("e1", at=minutes(0.5), error="boom", trace_id="t" * 32, reason="target-failed"))

    unsaid = ("connector_name", "connector_type_id", "connector_version", "duration_ms", "source")
    assert entry_of(row).item == {
        "@timestamp": "2026-11-24T12:00:30.000Z",
        "execution_id": "e1",
        "request_id": "r-e1",
        "space_id": "default",
        "connector_id": "c1",
        "action": "execute",
        "outcome": "success",
        "final": True,
        "reason": "target-failed",
        "attempt": 1,
        "message": "action executed: .webhook:c1: orders",
        "error": "boom",
        "possible_duplicate": False,
        "trace_id": "t" * 32,
        **dict.fromkeys((*unsaid, "retry_at", "redrive_of")),
    }


async def test_an_item_says_when_the_request_goes_on_and_which_one_it_repeats() -> None:
    [row] = await rows_given(outcome("e1", action=Action.RETRY_SCHEDULED, retry_at=minutes(1), redrive_of="r0"))

    item = entry_of(row).item
    assert (item["retry_at"], item["redrive_of"]) == ("2026-11-24T12:01:00.000Z", "r0")


@for_all(records_of(Outcome))
async def test_every_outcome_has_a_row_of_the_tables_columns_with_its_text_unchanged(one: Outcome) -> None:
    [row] = await rows_given(one)

    item = entry_of(row).item
    assert set(row) == set(EVENT_LOG.tables[0].columns)
    assert (item["message"], item["error"], item["connector_id"]) == (one.message, one.error, one.connector_id)


@for_all(
    st.lists(st.builds(outcome, st.sampled_from("abc"), action=st.sampled_from(Action)), max_size=8).flatmap(
        lambda all_: st.tuples(st.just(all_), st.permutations(all_))
    )
)
async def test_outcomes_that_come_again_in_any_order_change_nothing(runs: tuple[list[Outcome], list[Outcome]]) -> None:
    once, again = runs

    assert await rows_given(*once, *again) == await rows_given(*once)


async def test_a_start_and_its_end_are_two_rows() -> None:
    rows = await rows_given(outcome("e1", action=Action.EXECUTE_START, outcome=None), outcome("e1"))

    assert [row["action"] for row in rows] == ["execute-start", "execute"]


async def test_a_page_that_is_not_full_is_the_last() -> None:
    entries = [entry_of(row) for row in await rows_given(outcome("e1"), outcome("e2"))]

    assert page_of(entries, limit=2).next_cursor is None
    assert page_of(entries, limit=1).next_cursor == entries[0].cursor


@for_all(st.datetimes(timezones=st.just(UTC)), st.text())
def test_a_cursor_leads_back_to_the_place_it_was_made_for(at: datetime, execution_id: str) -> None:
    [change] = changes_of(EVENT_LOG, [outcome(execution_id, at=at)])
    assert isinstance(change, Append)
    row = change.row

    query = page("default", cursor=entry_of(row).cursor)

    assert query.args[1:4] == (row["at"], row["execution_id"], row["action"])


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "?",
        "é",
        "\ud800",
        "abcde",
        base64.b64encode(b"[1]").decode(),
        base64.b64encode(b'[9e99,"",""]').decode(),
        base64.b64encode(b'[99999999999999999999,"",""]').decode(),
        base64.b64encode(b"[" * 9000).decode(),
    ],
)
def test_a_cursor_that_no_page_has_named_is_refused(cursor: str) -> None:
    with pytest.raises(Refused) as refused:
        page("default", cursor=cursor)

    assert refused.value.code == "cursor-invalid"


def test_all_filters_hold_together_and_every_value_is_bound() -> None:
    where = EventLogFilter(connector_id="c'1", outcome="failure", q="it's", from_=minutes(0), to=minutes(1))

    query = page("ops", where, limit=10)

    assert query.args == ("ops", "c'1", "failure", minutes(0), minutes(1), "it's", 11)
    assert "'" not in query.sql
    assert [f"${number}" in query.sql for number in range(1, 9)] == [True] * 7 + [False]
