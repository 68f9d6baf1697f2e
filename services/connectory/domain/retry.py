"""Whether a failed request is tried again, and when."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from connectory.domain.execution import ActionRequest, Delivery, Failed

RETRYABLE_STATUSES: Final = frozenset({408, 425, 429, 502, 503, 504})
"""HTTP statuses that speak of the moment and not of the request (RFC 9110 §15, RFC 8470 §5.2, RFC 6585 §4)."""

RETRYABLE_REASONS: Final = frozenset({"egress-failed", "run-timeout"})
"""Failures without an answer: refused or reset connections, names not found, time limits."""

DECLINED_STATUSES: Final = frozenset({425, 429, 503})
"""Statuses by which a target says that it did not do what was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Waits double from `first_delay` up to `longest_delay`; what a target asks for is honoured up to
    `longest_retry_after`. After `max_age`, counted from when it was requested, a request is not tried again.
    """

    first_delay: timedelta = timedelta(seconds=10)
    longest_delay: timedelta = timedelta(hours=1)
    longest_retry_after: timedelta = timedelta(hours=1)
    max_age: timedelta = timedelta(days=1)


def is_retryable(failure: Failed) -> bool:
    """A type that says whether another attempt may help is believed; otherwise the status or the reason tells."""
    if failure.retry is not None:
        return failure.retry is not False
    return failure.status in RETRYABLE_STATUSES or failure.reason in RETRYABLE_REASONS


def retry_at(
    failure: Failed, request: ActionRequest, *, attempt: int, max_attempts: int, at: datetime, policy: RetryPolicy
) -> datetime | None:
    """When the request is tried again after its attempt number `attempt` failed at `at`; None: never.

    At most once means: only when the target certainly did nothing.
    """
    if attempt >= max_attempts or not is_retryable(failure):
        return None
    if request.delivery is Delivery.AT_MOST_ONCE and not failure.undelivered:
        return None
    due = at + _delay(failure, request.request_id, attempt, at, policy)
    if due - request.requested_at > policy.max_age:
        return None
    return None if request.expires_at is not None and due >= request.expires_at else due


def _delay(failure: Failed, request_id: str, attempt: int, at: datetime, policy: RetryPolicy) -> timedelta:
    jittered = backoff(request_id, attempt, policy)
    asked_for = failure.retry if isinstance(failure.retry, datetime) else failure.retry_after
    return jittered if asked_for is None else max(jittered, min(asked_for - at, policy.longest_retry_after))


def backoff(request_id: str, attempt: int, policy: RetryPolicy) -> timedelta:
    """Exponential with full jitter: anything from nothing to the doubled delay, so that many do not return as one.

    The same for the same attempt whenever it is asked: an executor that takes over comes to the same moment.
    """
    ceiling = min(policy.longest_delay, policy.first_delay * 2.0 ** min(attempt - 1, 32))
    return ceiling * random.Random(f"{request_id}/{attempt}").random()
