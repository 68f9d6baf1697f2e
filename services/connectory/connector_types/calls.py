"""Calls of classic types: a JSON body to one URL, and what a result says of a call that went wrong."""

from collections.abc import Mapping
from datetime import datetime

from connectory.connector_types.contract import EgressFailed, EgressRefused, OutgoingRequest, OutgoingResponse
from connectory.connector_types.json_text import compact
from connectory.connector_types.retry_after import retry_at
from connectory.domain.execution import ErrorSource, Failed, Retry
from connectory.domain.retry import DECLINED_STATUSES


def json_post(
    url: str,
    data: object,
    headers: Mapping[str, str] | None = None,
    secret_headers: frozenset[str] = frozenset(),
) -> OutgoingRequest:
    return OutgoingRequest(
        method="POST",
        url=url,
        headers={"Content-Type": "application/json", **(headers or {})},
        secret_headers=secret_headers,
        body=compact(data).encode(errors="replace"),
    )


def sent_bytes(request: OutgoingRequest) -> int:
    return len(request.body or b"")


def no_answer(
    request: OutgoingRequest,
    failure: EgressFailed,
    message: str,
    *,
    service_message: str | None = None,
    error_source: ErrorSource = ErrorSource.USER,
) -> Failed:
    """The call went out and nothing came back, or it was not allowed to go out, which is never tried again."""
    return Failed(
        message=message,
        service_message=service_message,
        retry=False if isinstance(failure, EgressRefused) else None,
        error_source=error_source,
        reason=failure.code,
        request_body_bytes=sent_bytes(request),
        undelivered=failure.undelivered,
    )


def unwelcome_answer(
    request: OutgoingRequest,
    response: OutgoingResponse,
    now: datetime,
    message: str,
    *,
    service_message: str | None = None,
    retry: Retry = None,
    error_source: ErrorSource = ErrorSource.USER,
) -> Failed:
    """Something came back that is no success. `retry` None leaves it to the status whether another attempt helps."""
    return Failed(
        message=message,
        service_message=service_message,
        retry=retry,
        error_source=error_source,
        request_body_bytes=sent_bytes(request),
        status=response.status,
        undelivered=response.status in DECLINED_STATUSES,
        retry_after=retry_at(response.headers.get("retry-after"), now),
    )


def whose_fault(response: OutgoingResponse) -> ErrorSource:
    """That of the other system, which counts as ours, or of whoever made the connector."""
    return ErrorSource.FRAMEWORK if response.status >= 500 else ErrorSource.USER


def status_text(response: OutgoingResponse) -> str:
    """What HTTP clients say of a status that is no success."""
    return f"Request failed with status code {response.status}"
