"""Dates in queries: what each way of writing one stands for."""

from datetime import UTC, datetime

import pytest

from connectory_projections.event_documents.dates import read_date

NOW = datetime(2026, 11, 24, 12, 30, 15, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026", "2026-01-01", "2027-01-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
        ("2026-11-24", "2026-11-24", "2026-11-25"),
        ("2026-11-24T12", "2026-11-24T12:00", "2026-11-24T13:00"),
        ("2026-11-24T12:30Z", "2026-11-24T12:30", "2026-11-24T12:31"),
        ("2026-11-24T12:30:15+01:00", "2026-11-24T11:30:15", "2026-11-24T11:30:16"),
        ("2026-11-24T12:30:15.25Z", "2026-11-24T12:30:15.250", "2026-11-24T12:30:15.251"),
        ("1795521600000", "2026-11-24T12:00", "2026-11-24T12:00:00.001"),
        ("now", "2026-11-24T12:30:15.250", "2026-11-24T12:30:15.251"),
        ("now-1h", "2026-11-24T11:30:15.250", "2026-11-24T11:30:15.251"),
        ("now/d", "2026-11-24", "2026-11-25"),
        ("now-1M/M", "2026-10-01", "2026-11-01"),
        ("now/w", "2026-11-23", "2026-11-30"),
        ("now+d", "2026-11-25T12:30:15.250", "2026-11-25T12:30:15.251"),
        ("2026-01-31||+1M", "2026-02-28", "2026-02-28T00:00:00.001"),
        ("2024-02-29||+1y/y", "2025-01-01", "2026-01-01"),
        ("2026-11-24T12:30||/h", "2026-11-24T12:00", "2026-11-24T13:00"),
        ("2026-11-24||-30m/m", "2026-11-23T23:30", "2026-11-23T23:31"),
        ("2026-11-24||+90s/s", "2026-11-24T00:01:30", "2026-11-24T00:01:31"),
    ],
)
def test_a_date_is_a_span_from_its_start_to_before_its_end(text: str, start: str, end: str) -> None:
    found = read_date(text, NOW)

    assert found == tuple(datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (start, end))


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-13", "2026-02-30", "2026-11-24 12:00", "now-", "now-1x", "now||", "||+1d", "now+999999y"]
)
def test_what_is_no_date(text: str) -> None:
    assert read_date(text, NOW) is None
