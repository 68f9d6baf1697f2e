"""The rules of spaces."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from connectory.domain.errors import Refused
from connectory.domain.spaces import (
    NO_SPACE,
    REMEMBERED_COMMANDS,
    ActiveSpace,
    CompleteSpaceDeletion,
    CreateSpace,
    DeleteSpace,
    NoSpace,
    SpaceCommand,
    SpaceCreated,
    SpaceDeleted,
    SpaceDeletionBegun,
    SpaceDetails,
    SpaceEvent,
    SpaceUpdated,
    UpdateSpace,
    decide,
    fold,
)
from tests.records import records_of

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
SALES = SpaceDetails(name="Sales", disabled_features=("ml",))
PEOPLE = SpaceDetails(name="People", color="#aabbcc")


def created(space_id: str = "sales") -> SpaceCreated:
    return SpaceCreated(space_id=space_id, version=1, at=AT, by="ada", command_id="k1", details=SALES)


def updated(space_id: str = "sales", version: int = 2) -> SpaceUpdated:
    return SpaceUpdated(space_id=space_id, version=version, at=AT, by="ada", command_id="k2", details=PEOPLE)


def deletion_begun(version: int = 2) -> SpaceDeletionBegun:
    return SpaceDeletionBegun(space_id="sales", version=version, at=AT, by="ada", command_id="k3")


def deleted(version: int = 3) -> SpaceDeleted:
    return SpaceDeleted(space_id="sales", version=version, at=AT, by="ada", command_id="k4")


def create(space_id: str = "sales") -> CreateSpace:
    return CreateSpace(command_id="k1", space_id=space_id, at=AT, by="ada", details=SALES)


def update(space_id: str = "sales") -> UpdateSpace:
    return UpdateSpace(command_id="k2", space_id=space_id, at=AT, by="ada", details=PEOPLE)


def delete(space_id: str = "sales") -> DeleteSpace:
    return DeleteSpace(command_id="k3", space_id=space_id, at=AT, by="ada")


def complete(deletion_id: str = "k3") -> CompleteSpaceDeletion:
    return CompleteSpaceDeletion(command_id="k4", space_id="sales", at=AT, by="ada", deletion_id=deletion_id)


@pytest.mark.parametrize(
    ("past", "command", "events"),
    [
        ([], create(), [created()]),
        ([created()], update(), [updated()]),
        ([], update("default"), [updated("default", 1)]),
        ([updated("default", 1)], update("default"), [updated("default", 2)]),
        ([created()], delete(), [deletion_begun()]),
        ([created(), deletion_begun()], complete(), [deleted()]),
        ([created(), deletion_begun(), deleted()], create(), [created()]),
    ],
)
def test_a_wish_that_breaks_no_rule_becomes_an_event(
    past: list[SpaceEvent], command: SpaceCommand, events: list[SpaceEvent]
) -> None:
    assert decide(command, fold(past)) == events


@pytest.mark.parametrize(
    ("past", "command", "code"),
    [
        ([created()], create(), "space-conflict"),
        ([], create("default"), "space-conflict"),
        ([updated("default", 1)], create("default"), "space-conflict"),
        ([created(), deletion_begun()], create(), "space-being-deleted"),
        ([], update(), "space-not-found"),
        ([created(), deletion_begun()], update(), "space-not-found"),
        ([created(), deletion_begun(), deleted()], update(), "space-not-found"),
        ([], delete(), "space-not-found"),
        ([created(), deletion_begun()], delete(), "space-not-found"),
        ([], delete("default"), "space-reserved"),
        ([updated("default", 1)], delete("default"), "space-reserved"),
    ],
)
def test_a_wish_that_breaks_a_rule_is_refused(past: list[SpaceEvent], command: SpaceCommand, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        decide(command, fold(past))

    assert refusal.value.code == code


@pytest.mark.parametrize(
    "past",
    [[], [created()], [created(), deletion_begun(), deleted()], [created(), deletion_begun(), deleted(), created()]],
)
def test_the_end_of_a_deletion_that_is_not_under_way_changes_nothing(past: list[SpaceEvent]) -> None:
    assert decide(complete(), fold(past)) == []


def test_the_end_of_an_earlier_deletion_does_not_end_a_later_one() -> None:
    assert decide(complete("k0"), fold([created(), deletion_begun()])) == []


def test_a_space_keeps_when_it_was_created_and_what_it_is_while_it_is_being_deleted() -> None:
    later = updated().at + timedelta(hours=1)
    change = SpaceUpdated(space_id="sales", version=2, at=later, by=None, command_id="k2", details=PEOPLE)

    state = fold([created(), change, deletion_begun(3)])

    assert isinstance(state, ActiveSpace)
    assert (state.created_at, state.details, state.version, state.deletion_id) == (AT, PEOPLE, 3, "k3")


EVENT = st.one_of(*map(records_of, (SpaceCreated, SpaceUpdated, SpaceDeletionBegun, SpaceDeleted)))


@for_all(st.lists(EVENT, max_size=12))
def test_any_events_fold_and_the_last_commands_are_remembered(events: list[SpaceEvent]) -> None:
    state = fold(events)

    assert isinstance(state, NoSpace | ActiveSpace)
    assert state.recent_commands == tuple(event.command_id for event in events)[-REMEMBERED_COMMANDS:]
    assert not events or state != NO_SPACE
