"""Rights in spaces: how they add up, and how they narrow each other."""

from hypothesis import given
from hypothesis import strategies as st

from connectory.domain.privileges import (
    ALL_SPACES,
    EVERY_PRIVILEGE,
    EVERY_RIGHT,
    NO_PRIVILEGES,
    Privileges,
    Right,
    added_up,
    granted,
)

SPACES = st.sampled_from(["a", "b", "c"])
LATER = "made later"
RIGHTS = st.frozensets(st.sampled_from(sorted(set(Right) - {Right.SUPERUSER})))
PRIVILEGES = st.builds(Privileges, RIGHTS, st.dictionaries(SPACES, RIGHTS)) | st.just(EVERY_PRIVILEGE)


@given(PRIVILEGES, PRIVILEGES, SPACES | st.just(LATER))
def test_two_together_hold_what_either_holds(one: Privileges, other: Privileges, space_id: str) -> None:
    assert one.and_also(other).at(space_id) == one.at(space_id) | other.at(space_id)


@given(PRIVILEGES, PRIVILEGES, SPACES | st.just(LATER))
def test_narrowed_is_what_both_hold(one: Privileges, other: Privileges, space_id: str) -> None:
    narrowed = one.only_what_is_in(other)
    assert narrowed.at(space_id) == one.at(space_id) & other.at(space_id)
    assert narrowed.everywhere_at_once() == one.everywhere_at_once() & other.everywhere_at_once()


@given(PRIVILEGES)
def test_narrowing_to_everything_and_to_nothing(privileges: Privileges) -> None:
    assert privileges.only_what_is_in(EVERY_PRIVILEGE).somewhere() == privileges.somewhere()
    assert privileges.only_what_is_in(NO_PRIVILEGES).somewhere() == frozenset()


def test_a_right_in_all_spaces_holds_in_those_that_are_made_later() -> None:
    privileges = added_up([granted({ALL_SPACES}, {Right.GET}), granted({"a"}, {Right.CREATE})])
    assert privileges.at(LATER) == {Right.GET}
    assert privileges.at("a") == {Right.GET, Right.CREATE}
    assert privileges.somewhere() == {Right.GET, Right.CREATE}
    assert privileges.everywhere_at_once() == {Right.GET}


def test_a_superuser_holds_rights_that_came_after_it_was_written_down() -> None:
    assert granted({ALL_SPACES}, {Right.SUPERUSER}).at(LATER) == EVERY_RIGHT


def test_to_be_a_superuser_in_one_space_is_no_such_thing() -> None:
    assert not granted({"a"}, {Right.SUPERUSER}).is_superuser
