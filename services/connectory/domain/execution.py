"""Action requests and what becomes of them: results, attempts and outcomes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from connectory.domain.json_types import Json, JsonObject


class Delivery(StrEnum):
    """What happens to an attempt of which nobody knows whether it reached the target."""

    AT_LEAST_ONCE = "at_least_once"
    AT_MOST_ONCE = "at_most_once"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """On whose behalf a request was made: nothing but the event log reads it.

    `consumer` owns the rule whose execution is `execution_id`. `related_objects` is the text of a JSON array, as the
    records carry it: objects with `type`, `id` and, where known, `type_id` and `namespace`.
    """

    consumer: str | None = None
    execution_id: str | None = None
    related_objects: str | None = None
    api_key_id: str | None = None
    api_key_name: str | None = None


@dataclass(slots=True, kw_only=True)
class ActionRequest:
    """A wish to run an action through a connector. Not frozen for the same reason as `Outcome`.

    `source` is `http_request`, `notification`, `background_task`, or the type of the object that asked. With
    `reply_partition` the requester waits for the result on that partition of `replies`; such a request is *direct*.
    With `connector_version` it runs on that version of the connector only; after `expires_at` it does not run.

    Requests of one connector with the same `ordering_key` run one after the other, in the order of the log, each when
    the one before has its final outcome. `max_attempts` counts the first one too. `redrive_of` is the id of the request
    that this one repeats.
    """

    request_id: str
    space_id: str
    connector_id: str
    params: JsonObject
    requested_at: datetime
    requested_by: str | None = None
    source: str | None = None
    delivery: Delivery = Delivery.AT_LEAST_ONCE
    connector_version: int | None = None
    expires_at: datetime | None = None
    reply_partition: int | None = None
    ordering_key: str | None = None
    max_attempts: int | None = None
    redrive_of: str | None = None
    context: RunContext | None = None

    @property
    def is_direct(self) -> bool:
        return self.reply_partition is not None


class ErrorSource(StrEnum):
    """Whose fault an error is: the user's set-up or the target, or Connectory's own."""

    USER = "user"
    FRAMEWORK = "framework"


Retry = bool | datetime | None
"""Whether another attempt may help: yes, no, at that time, or not said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUsage:
    """What a run of a generative-AI connector used."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeeded:
    """The action was carried out. `data` is what the target answered; None when it answered nothing.

    `token_usage` goes to the event log only. `connector_id` is what the answer names in the place of the connector's
    own id, None for that.
    """

    data: Json = None
    request_body_bytes: int = 0
    token_usage: TokenUsage | None = None
    connector_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The action was not carried out, or the target refused it. `reason` is a stable code for programs.

    `status` is the HTTP status of the answer. With `undelivered` the target certainly did nothing: it was not reached,
    or said so. `retry_after` is when the target asked to be called again, where `retry` does not say it.
    `connector_id` is as with `Succeeded`.
    """

    message: str
    service_message: str | None = None
    retry: Retry = None
    error_source: ErrorSource = ErrorSource.USER
    reason: str = "target-failed"
    request_body_bytes: int = 0
    status: int | None = None
    undelivered: bool = False
    retry_after: datetime | None = None
    connector_id: str | None = None

    @classmethod
    def nested_too_deeply(cls) -> "Failed":
        """The target has done it, and nobody can show what it said."""
        return cls(message="the answer of the target is nested too deeply to be looked through for secrets")


Result = Succeeded | Failed


class Action(StrEnum):
    """What an outcome record tells of."""

    EXECUTE_START = "execute-start"
    EXECUTE = "execute"
    EXECUTE_TIMEOUT = "execute-timeout"
    RETRY_SCHEDULED = "execute-retry-scheduled"
    DEFERRED = "deferred"
    RATE_LIMITED = "rate-limited"
    CANCELLED = "cancelled"
    DUPLICATE = "duplicate"
    BREAKER_OPENED = "breaker-opened"
    BREAKER_HALF_OPEN = "breaker-half-open"
    BREAKER_CLOSED = "breaker-closed"


OutcomeStatus = Literal["success", "failure", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPosition:
    """Where on the log a request was read: the identity of one submission of it."""

    topic: str
    partition: int
    offset: int


@dataclass(slots=True, kw_only=True)
class Outcome:
    """The recorded fact of an attempt, or of the decision not to make one.

    An accepted request has exactly one outcome with `final`. A request that was refused before it started has that
    one only, with a `reason`; each attempt has an `execute-start` and an `execute` with the same `execution_id`.
    A failed attempt that is not the last is followed by an `execute-retry-scheduled` with the same `execution_id`.
    `outcome` is None where nothing has ended. Times are UTC; `duration_ms` is None where nothing was run; `retry_at` is
    when the request, or with an open breaker the connector, is tried again. `scheduled_at` is when the attempt was due,
    None where somebody waits for its result. `in_memory`: the connector is one of the configuration, of no space.

    Not frozen only because two are made for every request, and freezing so many fields costs three times what making
    them does. Nobody changes one.
    """

    execution_id: str
    request_id: str
    space_id: str
    connector_id: str
    action: Action
    at: datetime
    started_at: datetime | None
    position: RequestPosition
    final: bool
    attempt: int
    message: str
    connector_name: str | None = None
    connector_type_id: str | None = None
    connector_version: int | None = None
    outcome: OutcomeStatus | None = None
    reason: str | None = None
    error: str | None = None
    duration_ms: float | None = None
    source: str | None = None
    requested_by: str | None = None
    possible_duplicate: bool = False
    request_body_bytes: int | None = None
    trace_id: str | None = None
    retry_at: datetime | None = None
    redrive_of: str | None = None
    scheduled_at: datetime | None = None
    in_memory: bool = False
    context: RunContext | None = None
    token_usage: TokenUsage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRequest:
    """A request on a retry topic, and how far it has come.

    `step` counts how often it was put on one, this time included: of two records of one request the higher one counts.
    `due_at` is when it is to go on; `deferrals` counts how often it was put off since the last attempt.
    """

    request: ActionRequest
    position: RequestPosition
    step: int
    due_at: datetime
    attempts: int = 0
    deferrals: int = 0
    possible_duplicate: bool = False
    trace_id: str | None = None


def error_text(failure: Failed) -> str:
    """The error of a failed run as the event log words it."""
    text = failure.message or "unknown error running action"
    if failure.service_message:
        text += f": {failure.service_message}"
    if isinstance(failure.retry, datetime):
        return f"{text}; retry at {iso_millis(failure.retry)}"
    return f"{text}; retry: true" if failure.retry else text


def iso_millis(moment: datetime) -> str:
    """ISO 8601 in UTC with exactly three fractional digits and `Z`, as everywhere on the wire."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
