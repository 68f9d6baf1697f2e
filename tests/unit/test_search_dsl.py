"""Elasticsearch's queries: which condition and which order each becomes, and what is refused."""

from datetime import UTC, datetime
from typing import Any

import pytest

from connectory.gateway.errors import Rejected
from connectory.gateway.event_documents.search_dsl import read_query, read_sort
from connectory_projections.event_documents import Order
from connectory_projections.event_documents.conditions import (
    EVERYTHING,
    NOTHING,
    All,
    AnyOf,
    Between,
    Entry,
    Exists,
    Not,
    OneOf,
    Says,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
A = {"term": {"event.action": "a"}}
B = {"term": {"event.outcome": "b"}}
IS_A = OneOf("event.action", ("a",))
IS_B = OneOf("event.outcome", ("b",))


def words(*each: str) -> tuple[tuple[tuple[str, ...], ...], ...]:
    return tuple(((word,),) for word in each)


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ({"match_all": {}}, EVERYTHING),
        ({"match_all": {"boost": 1.2}}, EVERYTHING),
        ({"match_none": {}}, NOTHING),
        (A, IS_A),
        ({"term": {"event.action": {"value": "a", "boost": 2}}}, IS_A),
        ({"term": {"nothing": "a"}}, NOTHING),
        ({"terms": {"event.action": ["a", "b"]}}, AnyOf((IS_A, OneOf("event.action", ("b",))))),
        ({"match": {"event.action": {"query": "a"}}}, IS_A),
        ({"match": {"message": "a b"}}, Says("message", words("a", "b"))),
        (
            {"match": {"message": {"query": "a b", "operator": "AND"}}},
            All((Says("message", words("a")), Says("message", words("b")))),
        ),
        ({"match_phrase": {"message": "a b"}}, Says("message", ((("a",), ("b",)),))),
        ({"exists": {"field": "error.message"}}, Exists("error.message")),
        (
            {"range": {"@timestamp": {"gte": "now-1h", "lt": 1795521600000, "format": "strict_date_optional_time"}}},
            All(
                (
                    Between("@timestamp", low=NOW.replace(hour=11), excludes_high=True),
                    Between("@timestamp", high=NOW, excludes_high=True),
                )
            ),
        ),
        ({"range": {"event.start": {}}}, Exists("event.start")),
        ({"range": {"event.action": {"gt": "a"}}}, Between("event.action", low="a", excludes_low=True)),
        ({"bool": {}}, EVERYTHING),
        ({"bool": {"must": A}}, IS_A),
        ({"bool": {"filter": [A, B]}}, All((IS_A, IS_B))),
        ({"bool": {"must": [A], "must_not": [B]}}, All((IS_A, Not(IS_B)))),
        ({"bool": {"must_not": A}}, Not(IS_A)),
        ({"bool": {"should": [A, B]}}, AnyOf((IS_A, IS_B))),
        ({"bool": {"must": [A], "should": [B]}}, IS_A),
        ({"bool": {"filter": [A], "should": [B], "minimum_should_match": 1}}, All((IS_A, IS_B))),
        ({"bool": {"should": [A, B], "minimum_should_match": "2"}}, All((IS_A, IS_B))),
        (
            {"nested": {"path": "kibana.saved_objects", "query": A, "score_mode": "none"}},
            Entry(IS_A),
        ),
    ],
)
def test_a_query_becomes_a_condition(query: Any, condition: object) -> None:
    assert read_query(query, NOW) == condition


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ([], "[query] must be an object with exactly one key"),
        ({}, "[query] must be an object with exactly one key"),
        ({**A, "match_all": {}}, "[query] must be an object with exactly one key"),
        ({"term": {"a": 1, "b": 2}}, "[term] must be an object with exactly one key"),
        ({"term": {"event.action": None}}, "[term] query needs a value that is text, a number or a boolean"),
        ({"term": {"event.action": {"values": "a"}}}, "[term] query does not support [values]"),
        ({"terms": {"event.action": "a"}}, "[terms] query needs a list of values"),
        ({"match": {"message": {"query": "a", "fuzziness": 1}}}, "[match] query does not support [fuzziness]"),
        ({"exists": {}}, "[exists] query needs a [field] and nothing else"),
        ({"range": {"@timestamp": 5}}, "[range] query malformed, an object is needed"),
        ({"range": {"@timestamp": {"time_zone": "+01:00"}}}, "[range] query does not support [time_zone]"),
        ({"bool": []}, "[bool] query malformed, an object is needed"),
        ({"bool": {"must_if": []}}, "[bool] query does not support [must_if]"),
        (
            {"bool": {"should": [A, B, A], "minimum_should_match": 2}},
            "[bool] query supports a [minimum_should_match] of 0, 1 or all only",
        ),
        ({"nested": {"path": "a", "query": A}}, "[nested] failed to find nested object under path [a]"),
        ({"nested": {"path": "a"}}, "[nested] query needs a [path] and a [query], and supports nothing else"),
        ({"bool": {"should": [A] * 1025}}, "[query] has more than 1024 clauses"),
    ],
)
def test_what_is_not_supported_is_refused(query: Any, text: str) -> None:
    with pytest.raises(Rejected) as refused:
        read_query(query, NOW)

    assert (refused.value.status, refused.value.message) == (400, text)


def test_queries_are_not_read_to_any_depth() -> None:
    query: Any = A
    for _ in range(20):
        query = {"bool": {"must": query}}

    with pytest.raises(Rejected, match="more than 20 queries around it"):
        read_query(query, NOW)


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        (None, ()),
        ("@timestamp", (Order("@timestamp"),)),
        (["event.action", {"event.end": "desc"}], (Order("event.action"), Order("event.end", descending=True))),
        ({"@timestamp": {"order": "desc", "unmapped_type": "date"}}, (Order("@timestamp", descending=True),)),
        ([{"nothing": {"unmapped_type": "date"}}, "_score", "_doc"], ()),
    ],
)
def test_a_sort_becomes_an_order(sort: Any, order: object) -> None:
    assert read_sort(sort) == order


@pytest.mark.parametrize(
    ("sort", "text"),
    [
        (5, "[sort] must be a field, an object, or a list of these"),
        ([{"@timestamp": 5}], "[sort] query malformed, an object is needed"),
        ([{"@timestamp": {"mode": "max"}}], "[sort] query does not support [mode]"),
        ([{"@timestamp": "up"}], "[sort] of [@timestamp] must be [asc] or [desc], with missing values [_last]"),
        (
            [{"@timestamp": {"order": []}}],
            "[sort] of [@timestamp] must be [asc] or [desc], with missing values [_last]",
        ),
        (["kibana.saved_objects.id"], "No mapping found for [kibana.saved_objects.id] in order to sort on"),
    ],
)
def test_a_sort_that_is_none_is_refused(sort: Any, text: str) -> None:
    with pytest.raises(Rejected) as refused:
        read_sort(sort)

    assert refused.value.message == text
