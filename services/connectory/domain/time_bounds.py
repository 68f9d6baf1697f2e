"""Until when a request may be run: its own expiry, and an age that no request outlives."""

from datetime import datetime, timedelta

from connectory.domain.errors import Refused
from connectory.domain.execution import ActionRequest, iso_millis


def expired(request: ActionRequest, now: datetime) -> Refused | None:
    """Why the request is not run any more, if its expiry is past."""
    if request.expires_at is None or now < request.expires_at:
        return None
    return Refused("expired", f"the request was to run before {iso_millis(request.expires_at)}")


def given_up(request: ActionRequest, now: datetime, max_age: timedelta) -> Refused | None:
    """Why a request that cannot be run now does not wait any longer, if so."""
    if now - request.requested_at < max_age:
        return expired(request, now)
    return Refused("too-old", f"the request of {iso_millis(request.requested_at)} could not be run in time")


def waits_until(request: ActionRequest, due: datetime, max_age: timedelta) -> datetime:
    """When a request that is put off until `due` comes back: no later than it is to be given up."""
    if due - request.requested_at > max_age:
        due = request.requested_at + max_age
    return due if request.expires_at is None else min(due, request.expires_at)
