"""The wish to have a waiting request not run, and the answer when it was met."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

CANCELLED: Final = "request-cancelled"
"""The reason of the outcome with which such a request ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequest:
    """`at` is when the gateway accepted the wish; `by` is the caller's name."""

    request_id: str
    space_id: str
    at: datetime
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCancelled:
    """The request was waiting, and does not run."""

    request_id: str
    connector_id: str
    at: datetime
