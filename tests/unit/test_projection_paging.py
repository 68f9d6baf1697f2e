"""Cursors: a page's own lead on, and those of anybody's making are refused before the database sees them."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectory.domain.errors import Refused
from connectory_projections.paging import read_cursor, write_cursor

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)


def made_of(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def test_a_cursor_says_what_it_was_written_with() -> None:
    assert read_cursor(write_cursor(AT, "a\x01b", 2**63 - 1), str, int) == (AT, "a\x01b", 2**63 - 1)


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        made_of(1, 2, 3),
        made_of(1, "a"),
        made_of(1, True, "a"),
        made_of(1, 2**63, "a"),
        made_of(10**30, 1, "a"),
        made_of("1", 1, "a"),
        made_of(),
    ],
)
def test_what_no_page_has_named_is_refused(cursor: str) -> None:
    with pytest.raises(Refused) as refused:
        read_cursor(cursor, int, str)
    assert refused.value.code == "cursor-invalid"
