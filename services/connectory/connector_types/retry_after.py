"""The `Retry-After` header: when a target says that another attempt may help (RFC 9110, section 10.2.3)."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime


def retry_at(header: str | None, now: datetime) -> datetime | None:
    """Return the time that the header names; None when it is absent or says nothing that can be understood."""
    text = (header or "").strip()
    try:
        if text.isascii() and text.isdecimal():
            return now + timedelta(seconds=int(text))
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
