"""What a new owner of a partition learns from its outcomes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from connectory.domain import outcomes
from connectory.domain.breaker import Closed, Opened
from connectory.domain.execution import ActionRequest, Failed, Outcome, RequestPosition, Succeeded, WaitingRequest
from connectory.domain.outcomes import Attempt
from connectory.executor.ledger import DONE, FRESH, RESUBMITTED, Ledger, RecentIds, Unfinished
from connectory.executor.waiting import Waiting
from tests.unit.connectors import AT

HOUR = timedelta(hours=1)


def request(request_id: str = "r1", connector_id: str = "c1", space_id: str = "default") -> ActionRequest:
    return ActionRequest(
        request_id=request_id, space_id=space_id, connector_id=connector_id, params={}, requested_at=AT
    )


R1 = request()


def attempt(request_id: str = "r1", offset: int = 5, execution_id: str = "e1") -> Attempt:
    position = RequestPosition(topic="action-requests", partition=0, offset=offset)
    return Attempt(request=request(request_id), position=position, execution_id=execution_id)


def started(of: Attempt) -> Outcome:
    return outcomes.start(of, AT)


def succeeded(of: Attempt) -> Outcome:
    return outcomes.finish(of, AT, AT, Succeeded())


def ledger(*seen: Outcome, committed: int = 0, waiting: Waiting | None = None) -> Ledger:
    book = Ledger(committed, HOUR, waiting or Waiting())
    for outcome in seen:
        book.absorb(outcome)
    return book


def test_a_request_without_outcomes_is_fresh() -> None:
    assert ledger().judge(5, R1, AT) == FRESH


def test_a_request_with_a_final_outcome_is_done() -> None:
    assert ledger(started(attempt()), succeeded(attempt())).judge(5, R1, AT) == DONE


def test_a_request_that_was_started_and_has_no_end_is_in_doubt() -> None:
    begun = started(attempt())
    assert ledger(begun).judge(5, R1, AT) == Unfinished((begun,), 1)


def test_an_attempt_that_was_marked_as_in_doubt_is_so_no_longer() -> None:
    first, second = attempt(execution_id="e1"), replace(attempt(execution_id="e2"), number=2)
    marked = outcomes.in_doubt(started(first), AT, final=False)
    assert ledger(started(first), marked, started(second)).judge(5, R1, AT) == Unfinished(
        (started(second),), 2, possible_duplicate=True
    )


def test_a_request_whose_attempts_were_all_marked_and_that_was_not_begun_again_is_still_unfinished() -> None:
    marked = outcomes.in_doubt(started(attempt()), AT, final=False)
    assert ledger(started(attempt()), marked).judge(5, R1, AT) == Unfinished((), 1, possible_duplicate=True)


def test_another_submission_of_an_id_that_ran_is_a_resubmission() -> None:
    assert ledger(started(attempt()), succeeded(attempt())).judge(9, R1, AT) == RESUBMITTED


def test_a_second_submission_in_one_life_is_a_resubmission() -> None:
    book = ledger()
    assert [book.judge(5, R1, AT), book.judge(9, R1, AT)] == [FRESH, RESUBMITTED]


def test_the_first_submission_is_not_taken_for_a_resubmission_when_only_the_second_has_an_outcome() -> None:
    later = outcomes.duplicate(attempt(offset=9), AT)
    book = ledger(later)
    assert [book.judge(5, R1, AT), book.judge(9, R1, AT)] == [FRESH, DONE]


def test_an_id_that_ran_before_the_committed_offset_is_still_a_resubmission() -> None:
    book = ledger(started(attempt()), succeeded(attempt()), committed=6)
    assert book.judge(9, R1, AT) == RESUBMITTED


def test_an_id_comes_afresh_after_the_window_also_where_nothing_else_has_come_since() -> None:
    book = ledger(started(attempt()), succeeded(attempt()))
    assert book.judge(9, R1, AT + 2 * HOUR) == FRESH


def test_a_start_that_was_written_twice_is_one_attempt() -> None:
    begun = started(attempt())
    assert ledger(begun, begun).judge(5, R1, AT) == Unfinished((begun,), 1)


def test_a_position_on_another_topic_is_not_mixed_up_with_ours() -> None:
    elsewhere = replace(succeeded(attempt("r2")), position=RequestPosition(topic="other", partition=0, offset=5))
    assert ledger(elsewhere).judge(5, R1, AT) == FRESH


@pytest.mark.parametrize("other", [request(connector_id="c2"), request(space_id="red")])
def test_the_same_id_through_another_connector_or_space_is_another_request(other: ActionRequest) -> None:
    assert ledger(started(attempt()), succeeded(attempt())).judge(9, other, AT) == FRESH


def test_ids_that_read_the_same_together_are_kept_apart() -> None:
    book = ledger()
    verdicts = [book.judge(5, request("z", "x/y"), AT), book.judge(9, request("y/z", "x"), AT)]
    assert verdicts == [FRESH, FRESH]


def test_ids_are_forgotten_after_the_window() -> None:
    recent = RecentIds(HOUR)
    recent.add(b"old", AT)
    recent.add(b"new", AT + 2 * HOUR)
    assert (b"old" in recent, b"new" in recent) == (False, True)


def test_ids_are_remembered_for_the_whole_window() -> None:
    recent = RecentIds(HOUR)
    for minute in range(61):
        recent.add(b"%d" % minute, AT + timedelta(minutes=minute))
    assert all(b"%d" % minute in recent for minute in range(61))


def test_of_many_ids_the_oldest_are_forgotten_early() -> None:
    recent = RecentIds(HOUR, most=24)
    for number in range(100):
        recent.add(b"%d" % number, AT)
    assert (b"0" in recent, b"99" in recent) == (False, True)


DUE = AT + timedelta(seconds=7)


def failed(of: Attempt) -> Outcome:
    return outcomes.finish(of, AT, AT, Failed(message="down"), DUE)


def test_a_failed_attempt_that_is_to_be_followed_by_another_is_no_end() -> None:
    scheduled = outcomes.schedule_retry(failed(attempt()), AT)
    book = ledger(started(attempt()), failed(attempt()), scheduled)
    assert book.judge(5, R1, AT) == Unfinished((), 1, retry_at=DUE)


def test_a_decision_to_try_again_that_was_not_recorded_any_more_is_told() -> None:
    book = ledger(started(attempt()), failed(attempt()))
    assert book.judge(5, R1, AT) == Unfinished((), 1, retry_at=DUE, unscheduled=failed(attempt()))


def waiting_at(*offsets: int) -> Waiting:
    waiting = Waiting()
    for offset in offsets:
        position = attempt(offset=offset).position
        waiting.put(WaitingRequest(request=R1, position=position, step=1, due_at=DUE))
    return waiting


def test_a_request_that_waits_on_a_retry_topic_is_not_run_from_where_it_was_read_first() -> None:
    book = ledger(waiting=waiting_at(5))
    book.leave_to_waiting([5])
    assert book.judge(5, R1, AT) == DONE


def test_what_was_begun_from_a_retry_topic_is_known_though_the_request_was_read_before_the_committed_offset() -> None:
    book = ledger(started(attempt()), committed=9, waiting=waiting_at(5))
    assert book.unfinished(5) == Unfinished((started(attempt()),), 1)


def test_a_record_on_a_retry_topic_counts_no_more_when_its_request_has_ended() -> None:
    waiting = waiting_at(5, 6)
    ledger(started(attempt()), succeeded(attempt()), committed=9, waiting=waiting)
    assert list(waiting) == [6]


def test_a_circuit_breaker_that_was_opened_and_not_closed_is_known() -> None:
    opened = outcomes.turn_breaker(attempt(), AT, Opened(DUE))
    closed = outcomes.turn_breaker(attempt(), AT, Closed())
    assert ledger(opened).opened_breakers == {"c1": opened}
    assert ledger(opened, closed).opened_breakers == {}
    assert ledger(opened).judge(5, R1, AT) == FRESH
