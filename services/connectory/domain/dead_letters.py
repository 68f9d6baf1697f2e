"""Records that Connectory gave up on, kept for operators."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """The record as it was read, byte for byte, with the place it was read from.

    `reason` is a stable code (`undecodable`, `given-up`, …), `message` says what was wrong; `request_id` is known
    only for requests that could be read.
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
