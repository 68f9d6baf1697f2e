"""Dates as queries write them: ISO 8601 as far as it is given, milliseconds, and sums with `now`.

`2026-11-24`, `2026-11-24T12:30`, `1795521600000`, `now-1d/d`, `2026-11-24||+1M`. One that leaves something out stands
for all that it may be.
"""

import calendar
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple


class Span(NamedTuple):
    """From `start` on, before `end`."""

    start: datetime
    end: datetime


_MILLISECOND: Final = timedelta(milliseconds=1)
_DATE: Final = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:T(?P<hour>\d\d)(?::?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?)?"
    r"(?P<zone>Z|[+-]\d\d(?::?\d\d)?)?)?)?)?"
)
_MILLIS: Final = re.compile(r"-?\d{5,15}")
_STEP: Final = re.compile(r"([+-]\d{0,6}|/)([yMwdhHms])")
_UNITS: Final = {
    "y": "year",
    "M": "month",
    "w": "week",
    "d": "day",
    "h": "hour",
    "H": "hour",
    "m": "minute",
    "s": "second",
}
_PARTS: Final = ("year", "month", "day", "hour", "minute", "second")
_LENGTHS: Final = {
    "week": timedelta(weeks=1),
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
}


def read_date(text: str, now: datetime) -> Span | None:
    """What the text stands for; None: it is no date."""
    anchor, separator, steps = ("now", "", text[3:]) if text.startswith("now") else text.partition("||")
    try:
        span = Span(now, now + _MILLISECOND) if anchor == "now" and not separator else _anchor(anchor)
        return span if span is None or not steps else _calculated(span, steps)
    except (ValueError, OverflowError):
        return None


def _anchor(text: str) -> Span | None:
    if _MILLIS.fullmatch(text):
        start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text))
        return Span(start, start + _MILLISECOND)
    found = _DATE.fullmatch(text)
    return None if found is None else _iso(found)


def _iso(found: re.Match[str]) -> Span:
    given = {part: int(found[part]) for part in _PARTS if found[part] is not None}
    start = datetime(**{"month": 1, "day": 1, **given}, tzinfo=UTC) - _offset(found["zone"])
    if found["fraction"]:
        start += timedelta(milliseconds=int(found["fraction"].ljust(3, "0")[:3]))
        return Span(start, start + _MILLISECOND)
    return Span(start, _later(start, list(given)[-1], 1))


def _offset(zone: str | None) -> timedelta:
    if zone in (None, "Z"):
        return timedelta(0)
    assert zone is not None
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -offset if zone[0] == "-" else offset


def _calculated(span: Span, steps: str) -> Span:
    """Raises ValueError when the steps are none."""
    moment, rounded_to, place = span.start, None, 0
    while place < len(steps):
        found = _STEP.match(steps, place)
        if found is None:
            raise ValueError(f"no sum of dates: {steps}")
        place, unit = found.end(), _UNITS[found[2]]
        if found[1] == "/":
            moment, rounded_to = _floor(moment, unit), unit
        else:
            count = int(found[1] if len(found[1]) > 1 else f"{found[1]}1")
            moment = _later(moment, unit, count)
    return Span(moment, _later(moment, rounded_to, 1) if rounded_to else moment + _MILLISECOND)


def _later(moment: datetime, unit: str, count: int) -> datetime:
    if unit not in ("year", "month"):
        return moment + _LENGTHS[unit] * count
    months = moment.year * 12 + moment.month - 1 + count * (12 if unit == "year" else 1)
    year, month = divmod(months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def _floor(moment: datetime, unit: str) -> datetime:
    if unit == "week":
        return _floor(moment - timedelta(days=moment.weekday()), "day")
    return _FLOORS[unit](moment)


_FLOORS: Final[dict[str, Callable[[datetime], datetime]]] = {
    "year": lambda moment: moment.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0),
    "month": lambda moment: moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0),
    "day": lambda moment: moment.replace(hour=0, minute=0, second=0, microsecond=0),
    "hour": lambda moment: moment.replace(minute=0, second=0, microsecond=0),
    "minute": lambda moment: moment.replace(second=0, microsecond=0),
    "second": lambda moment: moment.replace(microsecond=0),
}
