"""The `Retry-After` header: when a target says that another attempt may help (RFC 9110, section 10.2.3)."""

from datetime import datetime, timedelta

from connectory.connector_types.moments import parse_http_date


def retry_at(header: str | None, now: datetime) -> datetime | None:
    """Return the time that the header names; None when it is absent or says nothing that can be understood."""
    text = (header or "").strip()
    if text.isascii() and text.isdecimal():
        try:
            return now + timedelta(seconds=int(text))
        except (ValueError, OverflowError):
            return None
    return parse_http_date(text)
