"""Times as people and other systems write them."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def parse_moment(text: str) -> datetime | None:
    """A time in ISO 8601 or as in mails, UTC where it names no zone; None when it is neither."""
    try:
        return _in_utc(datetime.fromisoformat(text))
    except OverflowError:
        return None
    except ValueError:
        return parse_http_date(text)


def parse_http_date(text: str) -> datetime | None:
    """A time as HTTP and mails have it (RFC 9110, section 5.6.7; RFC 2822); None when it is none."""
    try:
        return _in_utc(parsedate_to_datetime(text))
    except (ValueError, OverflowError):
        return None


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
