"""A request on its way through the executor."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeAlias

from connectory.domain.errors import ConnectoryError
from connectory.domain.execution import ActionRequest, RequestPosition, WaitingRequest

Ending: TypeAlias = Callable[[ActionRequest], ConnectoryError | None]
"""Why a request is to end without being run; None: it is not."""

Lane: TypeAlias = tuple[str, bool]
"""A connector, and whether its circuit breaker and rate limit are passed by."""


class Source(NamedTuple):
    """The record that the request was read from: its place, and the bytes that it takes of the window."""

    topic: str
    offset: int
    size: int


@dataclass(slots=True, kw_only=True)
class Job:
    """A request that is to be run, and how far it has come.

    `position` is where it was read first, its identity; `source` is the record that brought it here, None when it was
    taken from a retry topic ahead of its turn. `attempts` counts those made; `step` and `deferrals` are as in
    `WaitingRequest`, `due_at` is when the next attempt after a failed one was due. `queued_at` is a time of the event
    loop: since when it could run. With `refusal` it is not run, and does not stand in line for that. A probe tells a
    half-open circuit breaker whether the target is well.
    """

    request: ActionRequest
    position: RequestPosition
    source: Source | None
    trace_id: str | None = None
    attempts: int = 0
    step: int = 0
    deferrals: int = 0
    due_at: datetime | None = None
    possible_duplicate: bool = False
    refusal: ConnectoryError | None = None
    queued_at: float = 0.0
    is_probe: bool = False

    @property
    def goes_at_once(self) -> bool:
        """Somebody waits for its result, or it only has to end: it does not stand in line behind the others."""
        return self.refusal is not None or self.request.reply_partition is not None

    @property
    def lane(self) -> Lane:
        return self.request.connector_id, self.goes_at_once

    @property
    def scheduled_at(self) -> datetime | None:
        """When its next attempt was due; None when somebody waits for the result. Being put off makes none due."""
        if self.request.reply_partition is not None:
            return None
        return self.request.requested_at if self.attempts == 0 or self.due_at is None else self.due_at

    @property
    def has_waited(self) -> bool:
        return self.attempts > 0 or self.step > 0

    def waiting(self, due_at: datetime) -> WaitingRequest:
        """What goes to a retry topic, so that it is this job again when it is due."""
        return WaitingRequest(
            request=self.request,
            position=self.position,
            step=self.step,
            due_at=due_at,
            attempts=self.attempts,
            deferrals=self.deferrals,
            possible_duplicate=self.possible_duplicate,
            trace_id=self.trace_id,
        )


def resumed(waiting: WaitingRequest, source: Source | None) -> Job:
    return Job(
        request=waiting.request,
        position=waiting.position,
        source=source,
        trace_id=waiting.trace_id,
        attempts=waiting.attempts,
        step=waiting.step,
        deferrals=waiting.deferrals,
        due_at=waiting.due_at,
        possible_duplicate=waiting.possible_duplicate,
    )
