"""The checker finds each kind of broken promise, and nothing where all were kept."""

import random

import pytest

from tests.chaos import histories, history
from tests.chaos.histories import Spoil, flawless
from tests.chaos.history import CHECKS, Check, History

SEEDS = range(10)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_history_that_keeps_all_promises_passes_all_checks(seed: int) -> None:
    assert {check.__name__: check(flawless(seed)) for check in CHECKS} == {check.__name__: [] for check in CHECKS}


@pytest.mark.parametrize("seed", SEEDS)
def test_crashes_did_happen_in_it(seed: int) -> None:
    made_up = flawless(seed)
    assert made_up.repetitions > 0
    assert made_up.in_doubt.total() > made_up.repetitions


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("check", "spoil"),
    [
        (history.lost, histories.lose),
        (history.ended_twice, histories.end_twice),
        (history.unheard_of, histories.invent),
        (history.not_run, histories.pretend),
        (history.repeated_beyond_doubt, histories.repeat_beyond_doubt),
        (history.repeated_unmarked, histories.repeat_unmarked),
        (history.repeated_against_the_wish, histories.repeat_against_the_wish),
        (history.doubt_not_told, histories.hide_a_doubt),
        (history.left_open, histories.leave_open),
        (history.logged_otherwise, histories.forget_an_entry),
        (history.logged_otherwise, histories.log_twice),
    ],
    ids=lambda each: each.__name__,
)
def test_a_broken_promise_is_found_and_named(check: Check, spoil: Spoil, seed: int) -> None:
    spoiled = spoil(flawless(seed), random.Random(seed))
    assert check(spoiled.history) == [spoiled.victim]


def test_an_empty_history_passes() -> None:
    empty = History(published={}, calls=[], outcomes=[], logged=[])
    assert [check(empty) for check in CHECKS] == [[] for _ in CHECKS]
