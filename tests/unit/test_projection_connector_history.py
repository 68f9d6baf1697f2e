"""What was changed about each connector, and how connectors looked then."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given as for_all

from connectory.domain.delivery import DeliveryPolicy
from connectory.infra.in_memory_rows import InMemoryRowStore
from connectory_projections.connector_history import CHANGES, CONNECTOR_HISTORY, TABLE
from connectory_projections.differences import differences
from tests.history_read_model import InMemoryHistory
from tests.projection_events import (
    changes_of,
    created,
    deleted,
    disabled,
    enabled,
    imported,
    minutes,
    policy_set,
    restored,
    rewrapped,
    updated,
)
from tests.records import JSON_OBJECTS


async def nothing_away() -> None:
    """The read model can be reached."""


async def store_with(*events: object) -> InMemoryRowStore:
    store = InMemoryRowStore()
    changes = changes_of(CONNECTOR_HISTORY, events)
    await store.apply(CONNECTOR_HISTORY, 0, changes, expected=0, next_offset=len(events))
    return store


async def history_of(*events: object) -> InMemoryHistory:
    return InMemoryHistory(await store_with(*events), nothing_away)


async def items(*events: object) -> Sequence[Mapping[str, Any]]:
    """Of `c1` in the default space, newest first."""
    return (await (await history_of(*events)).page("default", "c1", 100, None)).items


@pytest.mark.parametrize(
    ("event", "change", "said"),
    [
        (created(), "created", {"name", "connector_type_id", "config", "is_missing_secrets"}),
        (updated(), "updated", {"name", "connector_type_id", "config", "is_missing_secrets"}),
        (imported(), "imported", {"name", "connector_type_id", "config", "is_missing_secrets"}),
        (restored(), "restored", {"name", "connector_type_id", "config", "is_missing_secrets", "restored_version"}),
        (enabled(), "enabled", {"enabled"}),
        (disabled(), "disabled", {"enabled"}),
        (policy_set(DeliveryPolicy(burst=1)), "delivery_policy_set", {"delivery_policy"}),
        (rewrapped(), "key_rotated", set()),
        (deleted(), "deleted", set()),
    ],
)
async def test_each_change_says_what_it_set(event: object, change: str, said: set[str]) -> None:
    (item,) = await items(event)

    assert item["change"] == change
    assert set(item) - {"version", "@timestamp", "change", "by", "command_id", "diff"} == said


def test_there_is_a_word_for_every_event() -> None:
    assert set(CHANGES) == set(CONNECTOR_HISTORY.handles)


async def test_a_change_says_who_made_it_when_and_by_which_command() -> None:
    (item,) = await items(created(by="ada", command_id="k1"))

    assert (item["version"], item["by"], item["command_id"]) == (1, "ada", "k1")
    assert item["@timestamp"] == "2026-11-24T12:00:00.000Z"


async def test_no_secret_not_even_a_sealed_one_is_in_a_row() -> None:
    store = await store_with(created(), updated(), restored())

    assert "sealed" not in repr(store.rows(TABLE.name))


async def test_a_change_shows_what_is_different_since_the_last_one_that_said_it() -> None:
    before, after = {"url": "a", "headers": {"x": "1", "y": "2"}}, {"url": "a", "headers": {"x": "3"}, "method": "put"}
    newest, *_ = await items(created(config=before), disabled(), updated(version=3, config=after, name="other"))

    assert newest["diff"] == [
        {"path": ["name"], "before": "orders", "after": "other"},
        {"path": ["config", "headers", "x"], "before": "1", "after": "3"},
        {"path": ["config", "headers", "y"], "before": "2"},
        {"path": ["config", "method"], "after": "put"},
    ]


async def test_switches_and_policies_show_what_they_were_before() -> None:
    shown = await items(
        created(), disabled(), policy_set(DeliveryPolicy(burst=2)), policy_set(DeliveryPolicy(burst=3), version=4)
    )

    assert [item["diff"] for item in shown] == [
        [{"path": ["delivery_policy", "burst"], "before": 2, "after": 3}],
        [{"path": ["delivery_policy", "burst"], "before": None, "after": 2}],
        [{"path": ["enabled"], "before": True, "after": False}],
        [],
    ]


async def test_a_connector_created_anew_differs_from_nothing() -> None:
    newest, *_ = await items(created(name="old"), deleted(version=2), created(name="new"))

    assert newest["diff"] == []


async def test_the_history_of_another_space_is_not_shown() -> None:
    assert await items(created(space_id="red"), deleted(space_id="red")) == []


async def test_a_connector_is_shown_as_it_was_at_any_time() -> None:
    history = await history_of(
        created(name="one"), updated(name="two", at=minutes(2)), deleted(), created(name="three", at=minutes(5))
    )
    names = []
    for minute in (-1, 0, 1, 2, 2.5, 3, 4, 5, 9):
        view = await history.as_of("default", "c1", minutes(minute))
        names.append(view and view.name)

    assert names == [None, "one", "one", "two", "two", None, None, "three", "three"]


async def test_a_view_of_then_has_all_that_a_view_of_now_has() -> None:
    history = await history_of(
        imported(origin_id="o1", by="ada"), disabled(by="bob"), policy_set(DeliveryPolicy(burst=2), by="eve", version=3)
    )
    view = await history.as_of("default", "c1", minutes(9))

    assert view is not None
    assert (view.is_missing_secrets, view.origin_id, view.enabled, view.delivery_policy.burst) == (True, "o1", False, 2)
    assert (view.version, view.created_by, view.updated_by, view.updated_at) == (3, "ada", "eve", minutes(2))


@pytest.mark.parametrize(("version", "name"), [(1, "one"), (2, "one"), (3, "two"), (4, None), (9, None)])
async def test_what_a_version_was_stands_in_the_last_change_that_said_it(version: int, name: str | None) -> None:
    history = await history_of(created(name="one"), disabled(), updated(version=3, name="two"), deleted(version=4))

    details = await history.at_version("default", "c1", version)

    assert (details and details.name) == name


def applied(before: Any, changes: Sequence[Mapping[str, Any]]) -> Any:
    after = json.loads(json.dumps(before))
    for change in changes:
        *parents, last = change["path"]
        place = after
        for parent in parents:
            place = place[parent]
        if "after" in change:
            place[last] = change["after"]
        else:
            del place[last]
    return after


@for_all(JSON_OBJECTS, JSON_OBJECTS)
def test_a_value_with_its_differences_applied_is_the_other_value(before: Any, after: Any) -> None:
    assert json.dumps(applied(before, list(differences(before, after))), sort_keys=True) == json.dumps(
        after, sort_keys=True
    )


@for_all(JSON_OBJECTS)
def test_a_value_does_not_differ_from_itself(value: Any) -> None:
    assert list(differences(value, value)) == []
