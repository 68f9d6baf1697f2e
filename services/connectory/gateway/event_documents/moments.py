"""The moments of a window: dates as JavaScript reads them, as far as clients write them, and spans back from now."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from connectory.gateway.errors import Rejected

_BACK: Final = re.compile(r"([1-9]\d{0,9})([smhd])")
_UNITS: Final = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_UNREADABLE: Final = (ValueError, TypeError, IndexError, OverflowError)
"""What the library raises for what is no date."""


def read_moment(text: str, parameter: str, now: datetime) -> datetime:
    """`5m` is five minutes before now. A date without an offset is in UTC.

    Raises `Rejected` (400), which names the parameter.
    """
    try:
        back = _BACK.fullmatch(text)
        return now - int(back[1]) * _UNITS[back[2]] if back else _date(text)
    except _UNREADABLE:
        raise Rejected.bad_request(f'Invalid date for parameter {parameter}: "{text}"') from None


def _date(text: str) -> datetime:
    """ISO 8601 or RFC 2822."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = parsedate_to_datetime(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
