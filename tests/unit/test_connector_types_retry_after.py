"""`Retry-After`, whatever a target may write into it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectory.connector_types.retry_after import retry_at

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "moment"),
    [
        ("0", NOW),
        (" 90 ", NOW + timedelta(seconds=90)),
        ("010", NOW + timedelta(seconds=10)),
        ("Tue, 24 Nov 2026 12:30:00 GMT", NOW + timedelta(minutes=30)),
        ("Tue, 24 Nov 2026 13:30:00 +0100", NOW + timedelta(minutes=30)),
        (None, None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("9" * 5000, None),
        ("Tue, 99 Nov 2026 12:30:00 GMT", None),
    ],
)
def test_seconds_and_dates_are_understood_and_the_rest_is_not(header: str | None, moment: datetime | None) -> None:
    assert retry_at(header, NOW) == moment


DATE_PARTS = st.lists(
    st.sampled_from(["Tue,", "24", "Nov", "2026", "12:30:00", "GMT", "+9999", "-2400", "0000", "9999", ":", ",", "a"])
).map(" ".join)


@given(header=st.text() | DATE_PARTS)
def test_any_text_is_a_time_or_none(header: str) -> None:
    moment = retry_at(header, NOW)

    assert moment is None or moment.tzinfo is UTC
