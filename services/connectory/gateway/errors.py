"""The one place where an error becomes an HTTP answer: status, text, and what is kept from the caller."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from connectory.domain.errors import ConnectoryError, Unavailable
from connectory.domain.json_types import JsonObject

log = logging.getLogger(__name__)

INTERNAL_TEXT: Final = "An internal server error occurred. Check Kibana server logs for details."

STATUS_BY_CODE: Final[Mapping[str, int]] = {
    "connector-not-found": 404,
    "connector-conflict": 409,
    "connector-hidden": 404,
    "connector-in-memory": 400,
    "type-not-registered": 400,
    "config-invalid": 400,
    "secrets-invalid": 400,
    "connector-invalid": 400,
    "params-invalid": 400,
    "cursor-invalid": 400,
    "dead-letter-not-found": 404,
    "dead-letter-settled": 409,
    "dead-letter-unreadable": 400,
    "request-ended": 409,
    "space-not-found": 404,
    "space-conflict": 409,
    "space-being-deleted": 409,
    "space-reserved": 400,
    "space-invalid": 400,
    "api-key-not-found": 404,
    "too-many-api-keys": 400,
    "too-many-logins": 429,
    "unencodable": 400,
    "message-too-large": 413,
    "type-disabled": 403,
    "encryption-key-missing": 500,
    "connector-of-other-type": 400,
    "version-not-found": 404,
    "key-rotation-not-configured": 400,
    "key-rotation-running": 429,
}
"""Codes that are not here are defects of ours, or none of the caller's business: 500, with the cause in the log."""


class Rejected(ConnectoryError):
    """A request that the edge itself answers: `status` and the text for the caller."""

    code = "http-rejected"

    def __init__(self, status: int, message: str, attributes: JsonObject | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.attributes = attributes

    @classmethod
    def bad_request(cls, message: str) -> "Rejected":
        return cls(400, message)

    @classmethod
    def unauthorized(cls) -> "Rejected":
        return cls(401, "Unauthorized")

    @classmethod
    def forbidden(cls, message: str) -> "Rejected":
        return cls(403, message)

    @classmethod
    def not_found(cls) -> "Rejected":
        return cls(404, "Not Found")

    @classmethod
    def too_large(cls, limit: int | str) -> "Rejected":
        """`limit` in bytes, or what stands for it in a document."""
        return cls(413, f"Payload content length greater than maximum allowed: {limit}")


class OutcomeUnknown(Unavailable):
    """A change or a run that was handed in, with no answer in time: it may or may not have had its effect.

    `attributes` names the id under which the caller can ask again or look it up.
    """

    def __init__(self, message: str, attributes: JsonObject) -> None:
        super().__init__(message)
        self.attributes = attributes

    @classmethod
    def of_command(cls, command_id: str) -> "OutcomeUnknown":
        text = (
            "The outcome of this change is not known yet. "
            f"Repeat the same request with the header x-connectory-command-id: {command_id}; that is safe."
        )
        return cls(text, {"command_id": command_id})

    @classmethod
    def of_requests(cls, request_ids: Sequence[str]) -> "OutcomeUnknown":
        text = (
            "Not all of these requests are known to be accepted. "
            "Hand them in again, each with its request_id of the attributes; none of them runs twice for it."
        )
        return cls(text, {"request_ids": request_ids})

    @classmethod
    def of_cancellation(cls, request_id: str) -> "OutcomeUnknown":
        text = f"It is not known whether the request {request_id} is cancelled. Cancel it again; that is safe."
        return cls(text, {"request_id": request_id})

    @classmethod
    def of_run(cls, request_id: str) -> "OutcomeUnknown":
        text = f"The result of this run is not known yet. The event log will hold it for the request {request_id}."
        return cls(text, {"request_id": request_id})


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as the caller sees it."""

    status: int
    message: str
    attributes: JsonObject | None = None

    def body(self) -> JsonObject:
        """The error body, the same for every status."""
        shown: JsonObject = {} if self.attributes is None else {"attributes": self.attributes}
        return {"statusCode": self.status, "error": _reason(self.status), "message": self.message, **shown}


INTERNAL: Final = Problem(500, INTERNAL_TEXT)
AWAY: Final = Problem(503, "The broker or the database cannot be reached now. Try again later.")


def problem_of(error: ConnectoryError) -> Problem:
    """Translate an error; what is not the caller's business is logged and answered in general words."""
    match error:
        case Rejected():
            return Problem(error.status, error.message, error.attributes)
        case OutcomeUnknown():
            return Problem(503, error.message, error.attributes)
        case Unavailable():
            # Roles report the same trouble louder; addresses of servers are not for callers.
            log.info("a request cannot be answered now: %s", error.message)
            return AWAY
        case _:
            return _refusal(error)


def _refusal(error: ConnectoryError) -> Problem:
    status = STATUS_BY_CODE.get(error.code)
    if status is None:
        log.error("a request failed [%s]: %s", error.code, error.message)
        return INTERNAL
    return Problem(status, error.message)


def _reason(status: int) -> str:
    """The reason phrase as clients know it, which is not Python's in one case."""
    return "Request Entity Too Large" if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else HTTPStatus(status).phrase
