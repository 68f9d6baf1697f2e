"""Answers to whoever waits for a command or a direct request."""

from dataclasses import dataclass
from datetime import datetime

from connectory.domain.cancellation import RequestCancelled
from connectory.domain.execution import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandAccepted:
    """The change is durable. A reader that has applied the event at `offset` knows of it.

    `state` is the encoded state after the change without its secrets; None after a deletion.
    """

    command_id: str
    subject_id: str
    version: int
    topic: str
    partition: int
    offset: int
    state: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRefused:
    """`code` is that of `Refused`; `message` is the text for the caller."""

    command_id: str
    subject_id: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCompleted:
    """The result of a direct request. `reason` of a failed result tells refusals before the start apart."""

    request_id: str
    connector_id: str
    execution_id: str
    at: datetime
    result: Result


Reply = CommandAccepted | CommandRefused | RequestCompleted | RequestCancelled
