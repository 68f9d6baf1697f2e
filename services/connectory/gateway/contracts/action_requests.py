"""Contracts of the routes for action requests and for what became of them."""

from typing import Any, Final, Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from connectory.gateway import authorization
from connectory.gateway.contract import Answer, Contract, Refusal
from connectory.gateway.errors import OutcomeUnknown
from connectory.gateway.schemas import (
    CancellationParams,
    CancellationQuery,
    DeadLetterSelection,
    DeadLettersQuery,
    EventLogQuery,
    Submission,
    SubmittedRequest,
)

BAD_CURSOR: Final = Refusal(400, 'cursor "<cursor>" is not one that a page has named; start without a cursor')


@with_config(extra="forbid")
class SubmittedItem(TypedDict):
    """With `queuedActionsLimitError` it was not taken: as many are open as `xpack.actions.queued.max` allows."""

    request_id: str
    connector_id: str
    status: Literal["accepted", "queuedActionsLimitError"]


@with_config(extra="forbid")
class AcceptedRequests(TypedDict):
    """The requests that were handed in, in their order. Those that were not taken are the last ones."""

    items: list[SubmittedItem]


@with_config(extra="forbid")
class Cancelled(TypedDict):
    request_id: str
    connector_id: str
    status: Literal["cancelled"]


@with_config(extra="forbid")
class CancellationAccepted(TypedDict):
    request_id: str
    status: Literal["accepted"]


LoggedOutcome = TypedDict(
    "LoggedOutcome",
    {
        "@timestamp": str,
        "execution_id": str,
        "request_id": str,
        "space_id": str,
        "connector_id": str,
        "connector_name": str | None,
        "connector_type_id": str | None,
        "connector_version": int | None,
        "action": str,
        "outcome": str | None,
        "final": bool,
        "reason": str | None,
        "attempt": int,
        "duration_ms": int | None,
        "message": str,
        "error": str | None,
        "source": str | None,
        "possible_duplicate": bool,
        "trace_id": str | None,
        "retry_at": str | None,
        "redrive_of": str | None,
    },
)
"""An entry of the event log."""


@with_config(extra="forbid")
class EventLogAnswer(TypedDict):
    """Newest first; `next_cursor` is null on the last page."""

    items: list[LoggedOutcome]
    next_cursor: str | None


ListedLetter = TypedDict(
    "ListedLetter",
    {
        "id": str,
        "@timestamp": str,
        "status": Literal["open", "redriven", "dropped"],
        "reason": str,
        "message": str,
        "request_id": str | None,
        "space_id": str | None,
        "connector_id": str | None,
        "value_bytes": int | None,
        "settled_at": str | None,
        "settled_by": str | None,
        "redriven_as": str | None,
    },
)
"""A request that was given up."""


@with_config(extra="forbid")
class Header(TypedDict):
    name: str
    value: str


class ShownLetter(ListedLetter):
    """With its record: the request where it can be read, else the bytes."""

    key: str | None
    headers: list[Header]
    request: dict[str, Any] | None
    value: dict[str, Any] | None


@with_config(extra="forbid")
class LettersAnswer(TypedDict):
    """Newest first; `next_cursor` is null on the last page."""

    items: list[ListedLetter]
    next_cursor: str | None


@with_config(extra="forbid")
class SettledLetter(TypedDict):
    id: str
    request_id: NotRequired[str | None]


@with_config(extra="forbid")
class RedrivenAnswer(TypedDict):
    """`more`: the same call again finds others."""

    redriven: int
    items: list[SettledLetter]
    more: bool


@with_config(extra="forbid")
class DroppedAnswer(TypedDict):
    dropped: int
    items: list[SettledLetter]
    more: bool


_SETTLEMENT_REFUSALS: Final = (
    Refusal(400, "[request body]: give either [ids] or [filter]"),
    Refusal(404, "There is no dead letter <id>"),
    Refusal(409, "Dead letter <id> was redriven already, as request <request id>"),
    Refusal(409, "Dead letter <id> was dropped"),
)

SUBMIT: Final = Contract(
    summary="Hand in one action request, or a list of them, to be run later",
    body=SubmittedRequest | Submission,
    answers=(Answer(202, "They are on the log", AcceptedRequests),),
    refusals=(
        Refusal.denied(authorization.EXECUTE_ACTIONS),
        Refusal.denied(authorization.execute_action("<type>")),
        Refusal(503, OutcomeUnknown.of_requests([]).message),
    ),
)
CANCEL: Final = Contract(
    summary="Cancel a request that waits",
    params=CancellationParams,
    query=CancellationQuery,
    answers=(
        Answer(200, "It does not run", Cancelled),
        Answer(202, "It does not run unless it has begun", CancellationAccepted),
    ),
    refusals=(
        Refusal.denied(authorization.EXECUTE_ACTIONS),
        Refusal(409, "the request <id> has ended already, at <time> (<how>): it cannot be cancelled"),
        Refusal(503, OutcomeUnknown.of_cancellation("<id>").message),
    ),
)
EVENT_LOG: Final = Contract(
    summary="Read the event log of the space",
    query=EventLogQuery,
    answers=(Answer(200, "A page of outcomes", EventLogAnswer),),
    refusals=(Refusal.denied(authorization.GET_ACTIONS), BAD_CURSOR),
)
DEAD_LETTERS: Final = Contract(
    summary="List the requests that were given up",
    query=DeadLettersQuery,
    answers=(Answer(200, "A page of dead letters", LettersAnswer),),
    refusals=(Refusal.denied(authorization.GET_ACTIONS), BAD_CURSOR),
)
DEAD_LETTER: Final = Contract(
    summary="See a dead letter with its record",
    answers=(Answer(200, "The letter", ShownLetter),),
    refusals=(Refusal.denied(authorization.GET_ACTIONS), Refusal(404, "There is no dead letter <id>")),
)
REDRIVE: Final = Contract(
    summary="Repeat the requests of dead letters",
    body=DeadLetterSelection,
    answers=(Answer(200, "Those that were repeated", RedrivenAnswer),),
    refusals=(
        Refusal.denied(authorization.REDRIVE_DEAD_LETTERS),
        Refusal.denied(authorization.execute_action("<type>")),
        *_SETTLEMENT_REFUSALS,
        Refusal(
            400,
            "the dead letter of <place> holds no request that could be repeated (<why>); it can be shown and dropped",
        ),
    ),
)
DROP: Final = Contract(
    summary="Close dead letters without repeating their requests",
    body=DeadLetterSelection,
    answers=(Answer(200, "Those that were dropped", DroppedAnswer),),
    refusals=(Refusal.denied(authorization.DROP_DEAD_LETTERS), *_SETTLEMENT_REFUSALS),
)
