"""Repeating a request: what a redrive of a dead letter and a replay of recorded requests have in common."""

from dataclasses import replace
from datetime import datetime

from connectory.domain.execution import ActionRequest


def repeat(request: ActionRequest, request_id: str, at: datetime, by: str | None = None) -> ActionRequest:
    """The same wish as a new request, which names the one that it repeats.

    What tied the first one to its time is left out: an expiry that is past, the wish for one version of the connector,
    which may have been mended since, and the reply that nobody waits for any more. `by` is who repeats it; None: as
    before.
    """
    expires_at = request.expires_at
    return replace(
        request,
        request_id=request_id,
        requested_at=at,
        requested_by=by or request.requested_by,
        expires_at=expires_at if expires_at is not None and expires_at > at else None,
        connector_version=None,
        reply_partition=None,
        redrive_of=request.request_id,
    )
