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
_SLASHES: Final = re.compile(r"(\d{4})/(\d\d?)/(\d\d?)(?= |$)")
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
    """ISO 8601 or RFC 2822, or `2026/11/24 12:30`."""
    try:
        found = datetime.fromisoformat(_in_full(text))
    except ValueError:
        found = parsedate_to_datetime(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _in_full(text: str) -> str:
    """The forms that the library does not know: a year, a month of one, and slashes."""
    if re.fullmatch(r"\d{4}", text):
        return f"{text}-01-01"
    if re.fullmatch(r"\d{4}-\d\d", text):
        return f"{text}-01"
    return _SLASHES.sub(lambda found: f"{found[1]}-{found[2]:0>2}-{found[3]:0>2}", text, count=1)
