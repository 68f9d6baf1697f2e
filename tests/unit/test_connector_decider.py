"""The rules of connectors."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from connectory.domain.commands import DisableConnector, EnableConnector
from connectory.domain.connector import (
    ABSENT,
    REMEMBERED_COMMANDS,
    Absent,
    Active,
    Connector,
    Context,
    decide,
    evolve,
    fold,
)
from connectory.domain.delivery import AS_SETTINGS_SAY, DeliveryPolicy
from connectory.domain.errors import Refused
from connectory.domain.events import ConnectorEvent
from connectory.domain.json_types import JsonObject
from connectory.domain.secrets import NO_SECRETS
from connectory.testing import AnyConfig, given
from tests.unit.connectors import (
    AT,
    NEW_KEY,
    POLICY,
    SEALED,
    create,
    created,
    delete,
    deleted,
    disable,
    disabled,
    enable,
    enabled,
    import_,
    imported,
    policy_set,
    restore,
    restored,
    rewrap,
    rewrapped,
    set_policy,
    update,
    updated,
)


class NoConfigIsGood:
    def check_config(self, type_id: str, config: JsonObject) -> JsonObject:
        raise Refused.config_invalid(type_id)


class FillsIn:
    def check_config(self, type_id: str, config: JsonObject) -> JsonObject:
        return {**config, "method": "post"}


def test_creating_a_connector_records_it_as_version_one() -> None:
    given().when(create()).then(created())


def test_creating_a_connector_saves_the_config_with_the_defaults_of_its_type() -> None:
    expected = created(config={"url": "http://localhost/", "method": "post"})
    given(rules=FillsIn()).when(create()).then(expected)


def test_creating_a_connector_whose_id_is_taken_is_a_conflict() -> None:
    given(created()).when(create()).refused_with("connector-conflict")


def test_an_id_taken_in_another_space_is_a_conflict_too() -> None:
    given(created(space_id="red")).when(create(space_id="blue")).refused_with("connector-conflict")


def test_creating_a_connector_with_an_invalid_config_is_refused() -> None:
    given(rules=NoConfigIsGood()).when(create()).refused_with("config-invalid")


def test_a_deleted_connector_can_be_created_again_from_version_one() -> None:
    given(created(), deleted()).when(create(command_id="k9")).then(created(command_id="k9"))


def test_updating_a_connector_replaces_name_and_config_and_keeps_its_type() -> None:
    expected = updated(name="new", config={"url": "http://localhost/2"})
    given(created()).when(update(name="new", config={"url": "http://localhost/2"})).then(expected)


def test_updating_a_connector_that_is_not_there_is_refused() -> None:
    given().when(update()).refused_with("connector-not-found")


def test_updating_a_connector_of_another_space_is_refused_as_if_it_were_not_there() -> None:
    given(created(space_id="red")).when(update(space_id="blue")).refused_with("connector-not-found")


def test_updating_with_another_expected_version_is_a_conflict() -> None:
    given(created(), updated()).when(update(expected_version=1)).refused_with("connector-conflict")


def test_updating_with_the_expected_version_is_allowed() -> None:
    given(created(), updated()).when(update(command_id="k4", expected_version=2)).then(
        updated(command_id="k4", version=3)
    )


def test_updating_with_an_invalid_config_is_refused() -> None:
    given(created(), rules=NoConfigIsGood()).when(update()).refused_with("config-invalid")


def test_deleting_a_connector_records_it() -> None:
    given(created()).when(delete()).then(deleted())


def test_deleting_a_connector_twice_is_refused() -> None:
    given(created(), deleted()).when(delete()).refused_with("connector-not-found")


def test_deleting_a_connector_of_another_space_is_refused() -> None:
    given(created(space_id="red")).when(delete(space_id="blue")).refused_with("connector-not-found")


def test_a_connector_is_created_enabled_and_with_the_delivery_of_the_settings() -> None:
    state = fold([created()])
    assert isinstance(state, Active)
    assert (state.enabled, state.delivery_policy) == (True, AS_SETTINGS_SAY)


def test_disabling_a_connector_records_it() -> None:
    given(created()).when(disable()).then(disabled())


def test_enabling_a_disabled_connector_records_it() -> None:
    given(created(), disabled()).when(enable()).then(enabled())


@pytest.mark.parametrize(
    ("before", "command"), [([created()], enable()), ([created(), disabled()], disable(command_id="k9"))]
)
def test_a_connector_that_is_so_already_is_left_as_it_is(before: list[ConnectorEvent], command: Any) -> None:
    given(*before).when(command).then()


def test_setting_the_delivery_policy_records_all_of_it() -> None:
    given(created()).when(set_policy()).then(policy_set())


def test_a_delivery_policy_is_replaced_whole() -> None:
    one = DeliveryPolicy(burst=2)
    state = fold([created(), policy_set(), policy_set(policy=one, version=3)])
    assert isinstance(state, Active)
    assert state.delivery_policy == one


@pytest.mark.parametrize("command", [enable(), disable(), set_policy()])
def test_switching_and_limiting_a_connector_that_is_not_there_is_refused(command: Any) -> None:
    given().when(command).refused_with("connector-not-found")


@pytest.mark.parametrize("command", [enable(), disable(), set_policy()])
def test_switching_and_limiting_a_connector_of_another_space_is_refused_as_if_it_were_not_there(command: Any) -> None:
    given(created(space_id="red")).when(command).refused_with("connector-not-found")


def test_an_update_leaves_a_connector_disabled_and_limited_as_it_was() -> None:
    state = fold([created(), disabled(), policy_set(version=3), updated(version=4)])
    assert isinstance(state, Active)
    assert (state.enabled, state.delivery_policy, state.version) == (False, POLICY, 4)


def test_a_connector_that_is_created_anew_is_enabled_and_without_a_policy() -> None:
    state = fold([created(), disabled(), policy_set(version=3), deleted(version=4), created()])
    assert isinstance(state, Active)
    assert (state.enabled, state.delivery_policy) == (True, AS_SETTINGS_SAY)


def test_importing_a_connector_records_it_as_it_is_whatever_its_type_says() -> None:
    given(rules=NoConfigIsGood()).when(import_()).then(imported())


@pytest.mark.parametrize("overwrite", [True, False])
def test_importing_under_an_id_of_another_space_is_a_conflict(overwrite: bool) -> None:
    command = import_(space_id="blue", overwrite=overwrite)
    given(created(space_id="red")).when(command).refused_with("connector-conflict")


def test_importing_under_an_id_of_this_space_is_a_conflict_unless_it_may_be_overwritten() -> None:
    given(created()).when(import_()).refused_with("connector-conflict")
    given(created()).when(import_(overwrite=True)).then(imported(version=2))


def test_an_import_replaces_the_type_and_drops_the_secrets() -> None:
    state = fold([created(secrets=SEALED), imported(version=2, connector_type_id=".index", origin_id="o1")])
    assert isinstance(state, Active)
    assert (state.connector_type_id, state.secrets, state.origin_id) == (".index", NO_SECRETS, "o1")
    assert state.is_missing_secrets


def test_an_update_gives_an_imported_connector_its_secrets_and_keeps_its_origin() -> None:
    state = fold([imported(origin_id="o1"), updated(secrets=SEALED)])
    assert isinstance(state, Active)
    assert (state.is_missing_secrets, state.secrets, state.origin_id) == (False, SEALED, "o1")


def test_restoring_a_version_brings_back_name_and_config_and_keeps_the_secrets_of_now() -> None:
    before: list[ConnectorEvent] = [created(name="old"), updated(name="new", secrets=SEALED)]
    given(*before).when(restore(name="old")).then(restored(name="old", secrets=SEALED))


def test_a_connector_that_lacks_secrets_lacks_them_when_it_is_restored_too() -> None:
    expected = restored(is_missing_secrets=True)
    given(created(), imported(version=2)).when(restore(needs_secrets=False)).then(expected)


@pytest.mark.parametrize("needs_secrets", [True, False])
def test_a_deleted_connector_comes_back_without_its_secrets(needs_secrets: bool) -> None:
    command = restore(expected_version=0, needs_secrets=needs_secrets)
    expected = restored(version=1, is_missing_secrets=needs_secrets)
    given(created(secrets=SEALED), deleted()).when(command).then(expected)


@pytest.mark.parametrize("changes", [{"expected_version": 1}, {"expected_version": 0}, {"space_id": "blue"}])
def test_a_connector_that_has_changed_meanwhile_is_not_restored(changes: dict[str, Any]) -> None:
    given(created(), updated()).when(restore(**changes)).refused_with("connector-conflict")


def test_a_version_whose_config_is_not_valid_any_more_is_not_restored() -> None:
    given(created(), updated(), rules=NoConfigIsGood()).when(restore()).refused_with("config-invalid")


def test_a_version_of_another_type_is_not_restored() -> None:
    before: list[ConnectorEvent] = [created(connector_type_id=".index"), imported(version=2)]
    given(*before).when(restore(connector_type_id=".index")).refused_with("connector-of-other-type")


def test_a_data_key_that_is_wrapped_anew_leaves_the_secrets_as_they_are() -> None:
    given(created(secrets=SEALED)).when(rewrap()).then(rewrapped())

    state = fold([created(secrets=SEALED), rewrapped()])
    assert isinstance(state, Active)
    assert (state.secrets.ciphertexts, state.secrets.wrapped_key) == (SEALED.ciphertexts, NEW_KEY)


def test_a_connector_that_was_saved_meanwhile_keeps_its_newer_key() -> None:
    given(created(secrets=SEALED), rewrapped()).when(rewrap(command_id="k9")).then()
    given(created(secrets=NO_SECRETS)).when(rewrap()).then()


def test_no_key_is_wrapped_for_a_connector_of_another_space() -> None:
    given(created(secrets=SEALED, space_id="red")).when(rewrap()).refused_with("connector-not-found")


def test_a_connector_remembers_who_made_it_and_who_changed_it_last() -> None:
    state = fold([created(by="ada"), updated(by="bob", at=AT + timedelta(days=1))])
    assert isinstance(state, Active)
    assert (state.created_by, state.updated_by, state.updated_at - state.created_at) == ("ada", "bob", timedelta(1))


def test_a_connector_remembers_its_last_commands_also_after_its_deletion() -> None:
    state = fold([created(), updated(), deleted()])
    assert state == Absent(("k1", "k2", "k3"))


def test_only_so_many_commands_are_remembered() -> None:
    state = fold([created(), *(updated(command_id=f"u{n}") for n in range(20))])
    assert state.recent_commands == tuple(f"u{n}" for n in range(20 - REMEMBERED_COMMANDS, 20))


EVENTS: st.SearchStrategy[ConnectorEvent] = st.one_of(
    st.builds(created, command_id=st.text(max_size=3)),
    st.builds(updated, command_id=st.text(max_size=3)),
    st.builds(deleted, command_id=st.text(max_size=3)),
    st.builds(enabled, command_id=st.text(max_size=3)),
    st.builds(disabled, command_id=st.text(max_size=3)),
    st.builds(policy_set, command_id=st.text(max_size=3)),
    st.builds(imported, command_id=st.text(max_size=3)),
    st.builds(restored, command_id=st.text(max_size=3)),
    st.builds(rewrapped, command_id=st.text(max_size=3)),
)
COMMANDS = st.one_of(
    st.builds(create, command_id=st.text(min_size=1, max_size=3)),
    st.builds(update, command_id=st.text(min_size=1, max_size=3), expected_version=st.none() | st.integers(0, 5)),
    st.builds(delete, command_id=st.text(min_size=1, max_size=3)),
    st.builds(enable, command_id=st.text(min_size=1, max_size=3)),
    st.builds(disable, command_id=st.text(min_size=1, max_size=3)),
    st.builds(set_policy, command_id=st.text(min_size=1, max_size=3)),
    st.builds(import_, command_id=st.text(min_size=1, max_size=3), overwrite=st.booleans()),
    st.builds(restore, command_id=st.text(min_size=1, max_size=3), expected_version=st.integers(0, 5)),
    st.builds(rewrap, command_id=st.text(min_size=1, max_size=3)),
)


@for_all(st.lists(EVENTS, max_size=10))
def test_folding_is_total(events: list[ConnectorEvent]) -> None:
    assert isinstance(fold(events), Absent | Active)


@for_all(st.lists(COMMANDS, max_size=20))
def test_the_version_of_a_connector_is_the_number_of_its_events(commands: list[Any]) -> None:
    state: Connector = ABSENT
    count = 0
    for command in commands:
        try:
            events = decide(command, state, Context(AnyConfig()))
        except Refused:
            continue
        state = fold(events, state)
        count = count + len(events) if isinstance(state, Active) else 0
        assert state.version == count


@for_all(st.lists(COMMANDS, max_size=20))
def test_a_connector_is_as_the_last_command_that_was_accepted_says(commands: list[Any]) -> None:
    state: Connector = ABSENT
    for command in commands:
        try:
            state = fold(decide(command, state, Context(AnyConfig())), state)
        except Refused:
            continue
        if isinstance(command, EnableConnector | DisableConnector):
            assert isinstance(state, Active)
            assert state.enabled == isinstance(command, EnableConnector)


@for_all(st.lists(EVENTS, max_size=10), EVENTS)
def test_evolving_does_not_change_the_state_that_it_starts_from(
    events: list[ConnectorEvent], event: ConnectorEvent
) -> None:
    before, again = fold(events), fold(events)
    evolve(before, event)
    assert before == again
