"""Records that Connectory gave up on, kept for operators."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """The record as it was read, byte for byte, with the place it was read from.

    `reason` is a stable code (`undecodable`, `given-up`, …), `message` says what was wrong; the ids are known only for
    requests that could be read.
    """

    topic: str
    partition: int
    offset: int
    reason: str
    message: str
    at: datetime
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    request_id: str | None = None
    space_id: str | None = None
    connector_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterSettled:
    """What was done about the dead letter of the record at that place: repeated as a new request, or dropped."""

    topic: str
    partition: int
    offset: int
    at: datetime
    by: str | None = None
    redriven_as: str | None = None
