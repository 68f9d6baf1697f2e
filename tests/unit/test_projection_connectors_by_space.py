"""The connectors of a space, as rows."""

from collections.abc import Mapping

from hypothesis import given as for_all
from hypothesis import strategies as st

from connectory.domain.delivery import AS_SETTINGS_SAY, DeliveryPolicy
from connectory.infra.in_memory_rows import InMemoryRowStore
from connectory_projections.connectors_by_space import CONNECTORS_BY_SPACE, ConnectorView, get
from connectory_projections.model import Row
from tests.projection_events import (
    NOON,
    changes_of,
    config_of,
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

POLICY = DeliveryPolicy(max_attempts=3, max_in_flight=2, requests_per_second=0.5, burst=4)
EVENTS = st.sampled_from(["c1", "c2"]).flatmap(
    lambda connector_id: st.one_of(
        st.builds(created, st.just(connector_id), name=st.sampled_from("ab"), at=st.sampled_from([NOON, minutes(1)])),
        st.builds(updated, st.just(connector_id), name=st.sampled_from("cd"), at=st.sampled_from([NOON, minutes(2)])),
        st.builds(deleted, st.just(connector_id)),
        st.builds(imported, st.just(connector_id), name=st.sampled_from("ef"), origin_id=st.none() | st.just("o")),
        st.builds(restored, st.just(connector_id), name=st.sampled_from("gh"), is_missing_secrets=st.booleans()),
        st.builds(rewrapped, st.just(connector_id)),
        st.builds(enabled, st.just(connector_id)),
        st.builds(disabled, st.just(connector_id)),
        st.builds(policy_set, st.builds(DeliveryPolicy, burst=st.none() | st.integers(1, 3)), st.just(connector_id)),
    )
)


async def rows_given(*events: object) -> Mapping[object, Row]:
    """Connector id → row, after the events."""
    store = InMemoryRowStore()
    changes = changes_of(CONNECTORS_BY_SPACE, events)
    await store.apply(CONNECTORS_BY_SPACE, 0, changes, expected=0, next_offset=len(events))
    return {row["connector_id"]: row for row in store.rows("connectors_by_space")}


def view_of(rows: Mapping[object, Row]) -> ConnectorView:
    return get("default", "c1").read(rows["c1"])


async def test_a_created_connector_has_a_row_with_all_that_readers_see() -> None:
    rows = await rows_given(created(space_id="ops", config={"b": 1.0, "a": None}))

    row = rows["c1"]
    assert (row["space_id"], row["name"], row["version"], row["is_missing_secrets"]) == ("ops", "orders", 1, False)
    assert (row["created_at"], row["created_by"], row["updated_at"], row["updated_by"]) == (NOON, "ada", NOON, "ada")
    assert config_of(row) == {"b": 1.0, "a": None}


async def test_no_secret_not_even_a_sealed_one_is_in_a_row() -> None:
    rows = await rows_given(created())

    assert "sealed" not in repr(rows)


async def test_an_update_replaces_the_row_and_keeps_who_created_it_and_when() -> None:
    rows = await rows_given(created(by="ada"), updated(by="bob", name="invoices"))

    row = rows["c1"]
    assert (row["name"], row["version"]) == ("invoices", 2)
    assert (row["created_at"], row["created_by"]) == (NOON, "ada")
    assert (row["updated_at"], row["updated_by"]) == (minutes(2), "bob")


async def test_a_deleted_connector_has_no_row() -> None:
    assert await rows_given(created(), updated(), deleted()) == {}


async def test_a_connector_created_anew_is_as_old_as_its_last_creation() -> None:
    rows = await rows_given(created(), deleted(), created(at=minutes(9)))

    assert rows["c1"]["created_at"] == minutes(9)


async def test_a_connector_is_enabled_and_without_a_policy_from_its_creation_on() -> None:
    view = view_of(await rows_given(created()))

    assert (view.enabled, view.delivery_policy) == (True, AS_SETTINGS_SAY)


async def test_what_is_disabled_or_limited_stays_so_through_an_update_and_keeps_the_rest() -> None:
    rows = await rows_given(created(), disabled(), policy_set(POLICY, version=3), updated(version=4, name="invoices"))

    view = view_of(rows)
    assert (view.enabled, view.delivery_policy) == (False, POLICY)
    assert (view.name, view.version, view.created_at) == ("invoices", 4, NOON)


async def test_a_switch_changes_who_changed_it_last_and_the_version_and_nothing_else() -> None:
    rows = await rows_given(created(config={"a": 1}), disabled(by="bob"), enabled(version=3, by="eve", at=minutes(4)))

    view = view_of(rows)
    assert (view.enabled, view.version, view.updated_by, view.updated_at) == (True, 3, "eve", minutes(4))
    assert (view.name, view.config, view.created_by) == ("orders", {"a": 1}, "ada")


async def test_a_connector_created_anew_is_enabled_and_without_a_policy() -> None:
    view = view_of(await rows_given(created(), disabled(), policy_set(POLICY), deleted(), created()))

    assert (view.enabled, view.delivery_policy) == (True, AS_SETTINGS_SAY)


async def test_an_imported_connector_shows_that_its_secrets_are_missing_until_an_update() -> None:
    view = view_of(await rows_given(imported(origin_id="o1")))
    assert (view.is_missing_secrets, view.origin_id, view.created_at) == (True, "o1", NOON)

    view = view_of(await rows_given(imported(origin_id="o1"), updated()))
    assert (view.is_missing_secrets, view.origin_id) == (False, "o1")


async def test_an_import_over_a_connector_keeps_when_it_was_created_and_whether_it_is_enabled() -> None:
    view = view_of(await rows_given(created(), disabled(), imported(version=3, at=minutes(4), name="other")))

    assert (view.name, view.version, view.created_at, view.enabled) == ("other", 3, NOON, False)


async def test_a_restored_connector_shows_what_the_event_says_and_keeps_the_rest() -> None:
    view = view_of(await rows_given(created(), disabled(), restored(name="orders again", is_missing_secrets=True)))

    assert (view.name, view.version, view.is_missing_secrets, view.enabled) == ("orders again", 3, True, False)
    assert (view.created_at, view.updated_at) == (NOON, minutes(3))


async def test_a_data_key_wrapped_anew_changes_the_version_and_the_time_only() -> None:
    before, after = view_of(await rows_given(created())), view_of(await rows_given(created(), rewrapped(by="bob")))

    assert (after.version, after.updated_at, after.updated_by) == (2, minutes(2), "bob")
    assert (after.name, after.config, after.is_missing_secrets) == (before.name, before.config, False)


async def test_a_connector_whose_creation_was_not_read_shows_with_its_next_update() -> None:
    rows = await rows_given(disabled(by="bob"))
    assert rows["c1"]["name"] is None

    view = view_of(await rows_given(disabled(by="bob"), updated(version=3)))
    assert (view.name, view.enabled, view.created_by, view.created_at) == ("orders", False, "bob", minutes(2))


@for_all(st.lists(EVENTS, max_size=8), st.data())
async def test_going_back_and_reading_on_to_the_end_again_changes_nothing(
    events: list[object], data: st.DataObject
) -> None:
    back_to = data.draw(st.integers(0, len(events)))

    assert await rows_given(*events, *events[back_to:]) == await rows_given(*events)


@for_all(JSON_OBJECTS)
async def test_a_config_comes_back_as_it_was_sent(config: dict[str, object]) -> None:
    rows = await rows_given(created(config=config))

    assert get("default", "c1").read(rows["c1"]).config == config
