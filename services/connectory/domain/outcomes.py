"""How attempts become outcome records: the words of the event log, in one place."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from connectory.domain.breaker import Closed, HalfOpened, Opened, Transition
from connectory.domain.execution import (
    Action,
    ActionRequest,
    ErrorSource,
    Failed,
    Outcome,
    RequestPosition,
    Result,
    Succeeded,
    TokenUsage,
    error_text,
    iso_millis,
)

FAILURE = "action execution failure: "
LONGEST_TEXT = 10_000
"""Characters that are left of a text, where no record would hold the whole of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorLabel:
    """What outcomes say about the connector. `in_memory`: it is one of the configuration, of no space."""

    name: str
    type_id: str
    version: int
    in_memory: bool = False


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One try at a request: what its outcomes have in common. `connector` None when there is none to be found.
    `scheduled_at` is when it was due, None where somebody waits for the result.

    Not frozen for the same reason as `Outcome`.
    """

    request: ActionRequest
    position: RequestPosition
    execution_id: str
    number: int = 1
    possible_duplicate: bool = False
    trace_id: str | None = None
    connector: ConnectorLabel | None = None
    scheduled_at: datetime | None = None

    @property
    def label(self) -> str:
        if self.connector is None:
            return self.request.connector_id
        return f"{self.connector.type_id}:{self.request.connector_id}: {self.connector.name}"


def start(attempt: Attempt, at: datetime) -> Outcome:
    """The attempt begins now."""
    return _outcome(attempt, Action.EXECUTE_START, f"action started: {attempt.label}", at, started_at=at, final=False)


def finish(
    attempt: Attempt, started_at: datetime, at: datetime, result: Result, retry_at: datetime | None = None
) -> Outcome:
    """The attempt has ended with a result, and the request with it unless it is to be tried again."""
    duration = (at - started_at) / timedelta(milliseconds=1)
    match result:
        case Succeeded():
            return _outcome(
                attempt,
                Action.EXECUTE,
                f"action executed: {attempt.label}",
                at,
                started_at=started_at,
                final=True,
                failure=None,
                duration_ms=duration,
                request_body_bytes=result.request_body_bytes,
                token_usage=result.token_usage,
            )
        case Failed():
            return _outcome(
                attempt,
                Action.EXECUTE,
                _failure_message(attempt),
                at,
                started_at=started_at,
                final=retry_at is None,
                failure=result,
                duration_ms=duration,
                request_body_bytes=result.request_body_bytes,
                retry_at=retry_at,
            )


def refuse(attempt: Attempt, at: datetime, failure: Failed, retry_at: datetime | None = None) -> Outcome:
    """The attempt ends without a start: nothing was sent."""
    return _outcome(
        attempt,
        Action.EXECUTE,
        _failure_message(attempt),
        at,
        started_at=None,
        final=retry_at is None,
        failure=failure,
        retry_at=retry_at,
    )


def cancel(attempt: Attempt, at: datetime, failure: Failed) -> Outcome:
    """A request that waited ends without another attempt."""
    text = f"action cancelled: {attempt.label}"
    return _outcome(attempt, Action.CANCELLED, text, at, started_at=None, final=True, failure=failure)


def timed_out(attempt: Attempt, limit: timedelta) -> Failed:
    """The result of an attempt that was cancelled at its time limit."""
    name = attempt.connector.name if attempt.connector else ""
    type_id = attempt.connector.type_id if attempt.connector else ""
    text = (
        f"action: {type_id}:{attempt.request.connector_id}: '{name}' execution cancelled due to timeout"
        f' - exceeded default timeout of "{short_duration(limit)}"'
    )
    return Failed(message=text, retry=None, error_source=ErrorSource.FRAMEWORK, reason="run-timeout")


def time_out(
    attempt: Attempt, started_at: datetime, at: datetime, failure: Failed, retry_at: datetime | None = None
) -> Outcome:
    """The attempt was cancelled at its time limit, with `timed_out` as its result."""
    return _outcome(
        attempt,
        Action.EXECUTE_TIMEOUT,
        failure.message,
        at,
        started_at=started_at,
        final=retry_at is None,
        failure=failure,
        duration_ms=(at - started_at) / timedelta(milliseconds=1),
        retry_at=retry_at,
    )


def schedule_retry(ended: Outcome, at: datetime) -> Outcome:
    """What follows an attempt with a `retry_at`: the decision to make another one then."""
    due = iso_millis(ended.retry_at or at)
    label = ended.message.removeprefix(FAILURE)
    return replace(
        ended, action=Action.RETRY_SCHEDULED, at=at, outcome=None, message=f"retry scheduled for {due}: {label}"
    )


def defer(attempt: Attempt, at: datetime, reason: str, until: datetime) -> Outcome:
    """The request is put off without an attempt: `reason` says what stands in its way."""
    action = Action.RATE_LIMITED if reason == "rate-limited" else Action.DEFERRED
    text = f"action put off until {iso_millis(until)} ({reason}): {attempt.label}"
    outcome = _outcome(attempt, action, text, at, started_at=None, final=False, retry_at=until)
    return replace(outcome, reason=reason)


def turn_breaker(attempt: Attempt, at: datetime, transition: Transition) -> Outcome:
    """The circuit breaker of the connector has changed, by this attempt or ahead of it."""
    until: datetime | None = None
    match transition:
        case Opened(until):
            action, text = Action.BREAKER_OPENED, f"circuit breaker opened until {iso_millis(until)}: {attempt.label}"
        case HalfOpened():
            action, text = Action.BREAKER_HALF_OPEN, f"circuit breaker tries one request: {attempt.label}"
        case Closed():
            action, text = Action.BREAKER_CLOSED, f"circuit breaker closed: {attempt.label}"
        case _:
            assert_never(transition)
    return _outcome(attempt, action, text, at, started_at=None, final=False, retry_at=until)


def duplicate(attempt: Attempt, at: datetime) -> Outcome:
    """The same request id was accepted before, within the window: this submission is not run."""
    text = f"request {attempt.request.request_id} was submitted before and is not run again"
    return _outcome(attempt, Action.DUPLICATE, text, at, started_at=None, final=False)


def in_doubt(begun: Outcome, at: datetime, *, final: bool) -> Outcome:
    """What becomes of a start without an end, found after a crash. With `final` the request is not run again."""
    text = "the executor stopped during this attempt; whether it reached the target is not known"
    return replace(
        begun,
        action=Action.EXECUTE,
        at=at,
        final=final,
        outcome="unknown",
        reason="in-doubt",
        error=text,
        message=begun.message.replace("action started", "action outcome unknown", 1),
        possible_duplicate=not final,
    )


def shortened(outcome: Outcome) -> Outcome:
    """The same with its free texts cut to `LONGEST_TEXT` characters and without its context, for when no record holds
    them whole.
    """
    return replace(
        outcome,
        message=_cut(outcome.message),
        error=outcome.error and _cut(outcome.error),
        connector_name=outcome.connector_name and _cut(outcome.connector_name),
        source=outcome.source and _cut(outcome.source),
        requested_by=outcome.requested_by and _cut(outcome.requested_by),
        context=None,
    )


def short_duration(span: timedelta) -> str:
    """`5m`, `90s`, `250ms`: the largest unit that divides it."""
    milliseconds = round(span / timedelta(milliseconds=1))
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"


def _failure_message(attempt: Attempt) -> str:
    return FAILURE + attempt.label


def _outcome(
    attempt: Attempt,
    action: Action,
    message: str,
    at: datetime,
    *,
    started_at: datetime | None,
    final: bool,
    failure: Failed | None = None,
    duration_ms: float | None = None,
    request_body_bytes: int | None = None,
    retry_at: datetime | None = None,
    token_usage: TokenUsage | None = None,
) -> Outcome:
    request, connector = attempt.request, attempt.connector
    ended = final and failure is None
    return Outcome(
        execution_id=attempt.execution_id,
        request_id=request.request_id,
        space_id=request.space_id,
        connector_id=request.connector_id,
        action=action,
        at=at,
        started_at=started_at,
        position=attempt.position,
        final=final,
        attempt=attempt.number,
        message=message,
        connector_name=connector.name if connector else None,
        connector_type_id=connector.type_id if connector else None,
        connector_version=connector.version if connector else None,
        outcome="success" if ended else "failure" if failure else None,
        reason=failure.reason if failure else None,
        error=error_text(failure) if failure else None,
        duration_ms=duration_ms,
        source=request.source,
        requested_by=request.requested_by,
        possible_duplicate=attempt.possible_duplicate,
        request_body_bytes=request_body_bytes,
        trace_id=attempt.trace_id,
        retry_at=retry_at,
        redrive_of=request.redrive_of,
        scheduled_at=attempt.scheduled_at,
        in_memory=connector.in_memory if connector else False,
        context=request.context,
        token_usage=token_usage,
    )
