"""The reference of event-log queries: it names every field, and its samples are read as they stand there."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectory.gateway.event_documents.kuery import read_kuery
from connectory.gateway.event_documents.search_dsl import read_query, read_sort
from connectory_projections.event_documents.conditions import NOTHING
from connectory_projections.event_documents.fields import FIELDS, FIRST_ENTRY

PAGE = (Path(__file__).parents[2] / "docs/reference/event-log-queries.md").read_text(encoding="utf-8")
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def samples(language: str) -> list[str]:
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    assert found
    return found


def test_every_field_is_in_a_table_with_its_kind() -> None:
    listed = dict(re.findall(r"^\| `([@\w.]+)` \| (\w+) \|", PAGE, flags=re.MULTILINE))

    assert listed == {name: field.kind for name, field in {**FIELDS, **FIRST_ENTRY}.items()}


@pytest.mark.parametrize("text", samples("kql"))
def test_samples_of_kql_are_read(text: str) -> None:
    assert read_kuery(text, NOW) != NOTHING


@pytest.mark.parametrize("text", samples("json"))
def test_samples_of_searches_are_read(text: str) -> None:
    search = json.loads(text)

    assert read_query(search["query"], NOW) != NOTHING
    read_sort(search.get("sort"))
