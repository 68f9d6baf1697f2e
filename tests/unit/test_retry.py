"""Whether a failed request is tried again, and when."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectory.domain.execution import ActionRequest, Delivery, Failed
from connectory.domain.retry import RetryPolicy, backoff, is_retryable, retry_at
from tests.unit.connectors import AT

POLICY = RetryPolicy()
HOUR = timedelta(hours=1)
UNAVAILABLE = Failed(message="unavailable", status=503)


def request(**changes: Any) -> ActionRequest:
    fields: dict[str, Any] = {"request_id": "r1", "space_id": "default", "connector_id": "c1", "params": {}}
    return ActionRequest(**{**fields, "requested_at": AT, **changes})


def due(
    failure: Failed = UNAVAILABLE, attempt: int = 1, most: int = 3, at: datetime = AT, **changes: Any
) -> datetime | None:
    return retry_at(failure, request(**changes), attempt=attempt, max_attempts=most, at=at, policy=POLICY)


@pytest.mark.parametrize("status", [408, 425, 429, 502, 503, 504])
def test_a_status_that_speaks_of_the_moment_is_tried_again(status: int) -> None:
    assert is_retryable(Failed(message="", status=status))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 413, 422, 500, 501, None])
def test_any_other_status_is_final(status: int | None) -> None:
    assert not is_retryable(Failed(message="", status=status))


@pytest.mark.parametrize("reason", ["egress-failed", "run-timeout"])
def test_a_failure_without_an_answer_is_tried_again(reason: str) -> None:
    assert is_retryable(Failed(message="", reason=reason))


@pytest.mark.parametrize(("said", "expected"), [(True, True), (False, False), (AT, True)])
def test_a_type_that_says_whether_to_try_again_is_believed(said: bool | datetime, expected: bool) -> None:
    for status in (404, 503):
        assert is_retryable(Failed(message="", status=status, retry=said)) is expected


def test_there_are_no_more_attempts_than_allowed() -> None:
    assert [due(attempt=number) is not None for number in (1, 2, 3, 4)] == [True, True, False, False]


@given(st.text(max_size=20), st.integers(1, 1000))
def test_a_wait_lies_between_nothing_and_the_doubled_delay(request_id: str, attempt: int) -> None:
    ceiling = min(POLICY.longest_delay, POLICY.first_delay * 2 ** min(attempt - 1, 20))
    assert timedelta(0) <= backoff(request_id, attempt, POLICY) <= ceiling


@given(st.text(max_size=20), st.integers(1, 9))
def test_a_wait_is_the_same_whoever_asks(request_id: str, attempt: int) -> None:
    assert backoff(request_id, attempt, POLICY) == backoff(request_id, attempt, POLICY)


def test_waits_are_spread_over_the_whole_span() -> None:
    waits = [backoff(f"r{number}", 1, POLICY) / POLICY.first_delay for number in range(1000)]
    tenths = {int(10 * wait) for wait in waits}
    assert tenths == set(range(10))


@pytest.mark.parametrize("asked", [timedelta(minutes=2), timedelta(minutes=59)])
def test_a_target_that_asks_for_time_gets_it(asked: timedelta) -> None:
    assert due(Failed(message="", status=429, retry_after=AT + asked)) == AT + asked
    assert due(Failed(message="", retry=AT + asked)) == AT + asked


def test_a_target_gets_no_more_time_than_the_longest() -> None:
    assert due(Failed(message="", status=429, retry_after=AT + timedelta(days=400))) == AT + POLICY.longest_retry_after


def test_a_target_that_asks_for_a_time_that_is_past_does_not_shorten_the_wait() -> None:
    assert due(Failed(message="", status=429, retry_after=AT - HOUR)) == due()


def test_at_most_once_is_tried_again_only_when_the_target_did_nothing() -> None:
    delivered = due(delivery=Delivery.AT_MOST_ONCE)
    undelivered = due(Failed(message="", status=503, undelivered=True), delivery=Delivery.AT_MOST_ONCE)
    assert (delivered, undelivered) == (None, due())


def test_after_the_longest_age_nothing_is_tried_again() -> None:
    assert due(at=AT + POLICY.max_age - HOUR) is not None
    assert due(at=AT + POLICY.max_age) is None


def test_nothing_is_tried_again_when_it_would_be_expired() -> None:
    moment = due()
    assert moment is not None
    assert due(expires_at=moment + timedelta(microseconds=1)) == moment
    assert due(expires_at=moment) is None
