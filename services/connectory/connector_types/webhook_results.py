"""What became of a call by the webhook family of types, as results: the same words but for the name in them."""

from collections.abc import Callable
from datetime import datetime

from connectory.connector_types.contract import EgressFailed, EgressRefused, OutgoingResponse
from connectory.connector_types.oauth import TokenRefused
from connectory.connector_types.retry_after import retry_at
from connectory.connector_types.webhook_auth import SetUpFailed
from connectory.domain.execution import Failed, Retry, iso_millis
from connectory.domain.retry import DECLINED_STATUSES


def no_set_up(name: str, failure: SetUpFailed) -> Failed:
    """Nothing was sent to the target. Whether another attempt helps depends on what kept the token back."""
    cause = failure.cause
    return Failed(
        message=f"error calling {name}, request failed",
        service_message=failure.message,
        retry=False if isinstance(cause, EgressRefused) else None,
        reason=cause.code if cause is not None else failure.code,
        status=cause.status if isinstance(cause, TokenRefused) else None,
        undelivered=True,
    )


def no_response(name: str, failure: EgressFailed, sent: int) -> Failed:
    text = failure.message
    return Failed(
        message=f"error calling {name}, request failed",
        service_message=f"[{failure.error_code}] {text}" if failure.error_code else text,
        retry=False if isinstance(failure, EgressRefused) else None,
        reason=failure.code,
        request_body_bytes=sent,
        undelivered=failure.undelivered,
    )


def refused(
    name: str, response: OutgoingResponse, sent: int, now: datetime, said: Callable[[bytes], str | None]
) -> Failed:
    """`said` finds the target's own words in the body of its answer."""
    message, retry = _verdict(response, now)
    words = said(response.body)
    return Failed(
        message=f"error calling {name}, {message}",
        service_message=f"[{response.status}] {response.reason}" + (f": {words}" if words else ""),
        retry=retry,
        request_body_bytes=sent,
        status=response.status,
        undelivered=response.status in DECLINED_STATUSES,
        retry_after=retry_at(response.headers.get("retry-after"), now),
    )


def _verdict(response: OutgoingResponse, now: datetime) -> tuple[str, Retry]:
    if response.status == 429:
        moment = retry_at(response.headers.get("retry-after"), now)
        return (f"retry at {iso_millis(moment)}", moment) if moment else ("retry later", True)
    return ("retry later", True) if response.status >= 500 else ("invalid response", None)
