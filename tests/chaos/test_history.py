"""The checker finds each kind of broken promise, and nothing where all were kept."""

import random

import pytest

from connectory.testing import history
from connectory.testing.history import CHECKS, Check, History, violations
from tests.chaos import spoils
from tests.chaos.histories import flawless
from tests.chaos.spoils import Spoil

SEEDS = range(10)
BREACHES: list[tuple[Check, Spoil]] = [
    (history.lost, spoils.lose),
    (history.ended_twice, spoils.end_twice),
    (history.unheard_of, spoils.invent_a_call),
    (history.unheard_of, spoils.invent_an_outcome),
    (history.not_run, spoils.pretend),
    (history.called_unrecorded, spoils.call_unasked),
    (history.called_unrecorded, spoils.call_out_of_time),
    (history.repeated_beyond_doubt, spoils.repeat_beyond_doubt),
    (history.repeated_unmarked, spoils.forget_to_mark),
    (history.repeated_against_the_wish, spoils.go_on_after_doubt),
    (history.repeated_against_the_wish, spoils.call_again_for_the_wish),
    (history.doubt_not_told, spoils.hide_a_doubt),
    (history.begun_again, spoils.begin_again),
    (history.left_open, spoils.leave_open),
    (history.logged_otherwise, spoils.forget_an_entry),
    (history.logged_otherwise, spoils.log_twice),
    (history.logged_otherwise, spoils.log_otherwise),
    (history.called_before_its_turn, spoils.call_before_its_turn),
    (history.begun_before_its_turn, spoils.begin_before_its_turn),
    (history.called_after_its_turn, spoils.call_after_its_turn),
    (history.read_otherwise, spoils.read_what_was_before),
    (history.read_otherwise, spoils.let_a_read_vanish),
    (history.not_found_though_there, spoils.deny_a_connector),
]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_history_that_keeps_all_promises_passes_all_checks(seed: int) -> None:
    assert violations(flawless(seed)) == {}


@pytest.mark.parametrize("seed", SEEDS)
def test_crashes_and_retries_did_happen_in_it(seed: int) -> None:
    made_up = flawless(seed)
    assert made_up.duplicates.total() > 0
    assert made_up.in_doubt.total() > made_up.duplicates.total()
    assert any(call.is_refused for call in made_up.calls)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("check", "spoil"), BREACHES, ids=lambda each: each.__name__)
def test_a_broken_promise_is_found_and_named(check: Check, spoil: Spoil, seed: int) -> None:
    spoiled = spoil(flawless(seed), random.Random(seed))
    assert spoiled.victim in check(spoiled.history)


def test_there_is_a_breach_for_each_check() -> None:
    assert {check for check, _ in BREACHES} == set(CHECKS)


def test_an_empty_history_passes() -> None:
    assert violations(History()) == {}
