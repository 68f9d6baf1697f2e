"""The reference of settings is what the declarations say."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectory.infra.settings.declaration import known_settings
from connectory.infra.settings.describe import describe_settings, settings_page
from connectory.infra.settings.model import Settings
from connectory.infra.settings.value_types import parse_byte_size, parse_duration, write_byte_size, write_duration

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == settings_page(), (
        "run: python -m connectory.infra.settings.describe > docs/reference/settings.md"
    )


def test_every_setting_has_a_meaning() -> None:
    assert [row.name for row in describe_settings() if not row.meaning] == []


def test_every_setting_has_variables_of_its_own() -> None:
    variables = [variable for known in known_settings(Settings) for variable in known.variables]
    assert len(variables) == len(set(variables))


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("250", timedelta(milliseconds=250)),
        (250, timedelta(milliseconds=250)),
        ("1ms", timedelta(milliseconds=1)),
        ("60s", timedelta(seconds=60)),
        ("5m", timedelta(minutes=5)),
        ("2h", timedelta(hours=2)),
        ("90d", timedelta(days=90)),
        ("2w", timedelta(days=14)),
        ("1M", timedelta(days=30)),
        ("1Y", timedelta(days=365)),
    ],
)
def test_durations_are_read(text: object, span: timedelta) -> None:
    assert parse_duration(text) == span


@pytest.mark.parametrize(("text", "size"), [("5", 5), ("5b", 5), ("2kb", 2048), ("1mb", 1_048_576), ("1gb", 1024**3)])
def test_byte_sizes_are_read(text: str, size: int) -> None:
    assert parse_byte_size(text) == size


@pytest.mark.parametrize("text", ["", "s", "-1s", "1.5s", "1 s", "1S", "٣s", "9" * 16, "999999Y"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="value must be a duration"):
        parse_duration(text)


@given(milliseconds=st.integers(0, 10**12))
def test_a_written_duration_reads_as_the_same(milliseconds: int) -> None:
    span = timedelta(milliseconds=milliseconds)
    assert parse_duration(write_duration(span)) == span


@given(size=st.integers(0, 10**14))
def test_a_written_byte_size_reads_as_the_same(size: int) -> None:
    assert parse_byte_size(write_byte_size(size)) == size
