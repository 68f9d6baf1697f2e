"""Dead letters as the executor writes them, with values that a test does not care about filled in."""

from datetime import datetime
from typing import Any

from connectory.domain.dead_letters import DeadLetter, DeadLetterSettled
from connectory.domain.execution import ActionRequest
from connectory.infra import topics
from connectory.infra.messages import Messages
from tests.projection_events import NOON

MESSAGES = Messages()


def request(request_id: str = "r1", connector_id: str = "c1", **fields: Any) -> ActionRequest:
    defaults: dict[str, Any] = {"space_id": "default", "params": {"body": request_id}, "requested_at": NOON}
    return ActionRequest(request_id=request_id, connector_id=connector_id, **{**defaults, **fields})


def letter(offset: int = 0, *, at: datetime = NOON, of: ActionRequest | None = None, **fields: Any) -> DeadLetter:
    """The letter of a request `r<offset>`, or of the given one."""
    given_up = of or request(f"r{offset}")
    defaults: dict[str, Any] = {
        "topic": topics.ACTION_REQUESTS,
        "partition": 0,
        "reason": "target-failed",
        "message": "error calling webhook",
        "key": given_up.connector_id.encode(),
        "value": MESSAGES.encode(given_up),
        "headers": (),
        "request_id": given_up.request_id,
        "space_id": given_up.space_id,
        "connector_id": given_up.connector_id,
    }
    return DeadLetter(offset=offset, at=at, **{**defaults, **fields})


def undecodable(offset: int = 0, value: bytes | None = b"\x07junk", **fields: Any) -> DeadLetter:
    nobody = {"request_id": None, "space_id": None, "connector_id": None}
    return letter(offset, reason="undecodable", message="not a record", value=value, **{**nobody, **fields})


def settled(offset: int = 0, *, at: datetime = NOON, **fields: Any) -> DeadLetterSettled:
    place = {"topic": topics.ACTION_REQUESTS, "partition": 0}
    return DeadLetterSettled(offset=offset, at=at, **{**place, **fields})
