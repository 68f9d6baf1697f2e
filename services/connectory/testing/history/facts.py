"""What is written down during a run: by who submits, by the target, by who changes connectors, and by Connectory."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from connectory.client import EventLogItem
from connectory.domain.execution import Delivery, Outcome


class RequestKey(NamedTuple):
    """What makes two submissions the same request: publishers choose ids for themselves, within a connector."""

    space_id: str
    connector_id: str
    request_id: str

    def __str__(self) -> str:
        return "/".join(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A request that was acknowledged.

    `at` is when it was handed in. `offset` is that of its first record on its partition of `action-requests`: what
    "earlier" means where order is promised.
    """

    key: RequestKey
    at: datetime
    offset: int
    delivery: Delivery = Delivery.AT_LEAST_ONCE
    ordering_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that the target saw, noted as it came in. `answer` is the HTTP status that it gave; None for no answer."""

    key: RequestKey
    at: datetime
    answer: int | None = 200

    @property
    def is_refused(self) -> bool:
        """The target said that it did not do what it was asked for."""
        return self.answer is not None and self.answer >= 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A change of a connector: `value` tells its contents apart from all others, None is a deletion.

    Without `is_known` there was no answer: it may have happened, or happen yet. Refused changes are not written down.
    """

    connector_id: str
    value: str | None
    began_at: datetime
    ended_at: datetime
    is_known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A connector as it was read: None says that there is none."""

    connector_id: str
    value: str | None


class Entry(NamedTuple):
    """What topic and table must agree on about one outcome."""

    key: RequestKey
    execution_id: str
    action: str
    connector_version: int | None
    outcome: str | None
    attempt: int | None
    message: str
    error: str | None
    possible_duplicate: bool


def entry_of(source: Outcome | EventLogItem) -> Entry:
    return Entry(
        key=key_of(source),
        execution_id=source.execution_id,
        action=str(source.action),
        connector_version=source.connector_version,
        outcome=source.outcome,
        attempt=source.attempt,
        message=source.message or "",
        error=source.error,
        possible_duplicate=source.possible_duplicate,
    )


def key_of(source: Outcome | EventLogItem) -> RequestKey:
    return RequestKey(source.space_id, source.connector_id, source.request_id)
