"""The events of connectors (`_find`) and searches as Elasticsearch takes them (`_search`) over HTTP."""

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest

from connectory.domain.in_memory_connectors import InMemoryConnector, InMemoryConnectors
from connectory.testing import ManualClock
from tests.ended_runs import BOOM, RULE, cut_off, run
from tests.http_gateway import CONNECTOR, VIEWER, XSRF, Answer, HttpGateway, http_gateway, reading_replies
from tests.projection_events import minutes
from tests.unit.installation import Installation
from tests.waiting import until_answer

FIND = "/internal/event_log/action"
SEARCH = "/.kibana-event-log*/_search"
SYSTEM = "system-connector-.http"
INTERNAL = {**XSRF, "x-elastic-internal-origin": "tests"}
OPS = InMemoryConnector(connector_id="ops", connector_type_id=".webhook", name="ops")


async def installed() -> Installation:
    installation = await Installation().create_topics()
    installation.clock = ManualClock(minutes(60))
    installation.in_memory = InMemoryConnectors([OPS])
    return installation


@pytest.fixture
async def gateway() -> AsyncIterator[HttpGateway]:
    """Nobody runs anything here: what there is to be seen is put into the read models."""
    async with http_gateway(await installed(), roles=False) as gateway:
        yield gateway


@pytest.fixture
async def living() -> AsyncIterator[HttpGateway]:
    """With the connectors `c1`, and `c2` in the space `red`."""
    async with http_gateway(await installed()) as gateway:
        await reading_replies(gateway)
        await gateway.create("c1")
        await gateway.create("c2", space="/s/red")
        yield gateway


async def find(gateway: HttpGateway, connector_id: str = "c1", query: str = "", **options: Any) -> Answer:
    return await gateway.get(f"{FIND}/{connector_id}/_find{query}", headers=INTERNAL, **options)


async def test_a_run_leaves_its_start_and_its_end(living: HttpGateway) -> None:
    await living.call("POST", f"{CONNECTOR}/c1/_execute", {"params": {"body": "hello"}})

    answer = await until_answer(lambda: find(living), lambda found: found.body["total"] == 2)

    end, start = sorted(answer.body["data"], key=lambda each: each["event"]["action"])
    assert start["message"] == "action started: .webhook:c1: hook"
    assert end["message"] == "action executed: .webhook:c1: hook"
    assert start["kibana"]["action"]["execution"]["uuid"] == end["kibana"]["action"]["execution"]["uuid"]
    assert start["event"]["start"] == end["event"]["start"]
    assert (end["kibana"]["action"]["execution"]["source"], end["user"]) == ("http_request", {"name": "admin"})
    assert {**answer.body, "data": []} == {"page": 1, "per_page": 10, "total": 2, "data": []}


async def test_a_run_that_is_refused_leaves_nothing(living: HttpGateway) -> None:
    await living.call("POST", f"{CONNECTOR}/c1/_execute", {"params": {"unknown": 1}})
    await until_answer(lambda: living.get("/api/connectory/event_log"), lambda found: bool(found.body["items"]))

    assert (await find(living)).body["total"] == 0


async def test_a_queued_run_says_when_it_was_due_and_for_whom_it_ran(living: HttpGateway) -> None:
    related = [{"type": "alert", "id": "rule-1", "type_id": "siem.query"}]
    about = {"source": "alert", "consumer": "siem", "execution_id": "x1", "related_objects": related}
    request = {"connector_id": "c1", "params": {"body": "x"}, **about}
    await living.call("POST", "/api/connectory/action_requests", request)

    answer = await until_answer(lambda: find(living), lambda found: found.body["total"] == 2)

    for each in (each["kibana"] for each in answer.body["data"]):
        assert each["task"] == {"scheduled": "2026-11-24T13:00:00.000Z", "schedule_delay": 0}
        rule = {"consumer": "siem", "execution": {"uuid": "x1"}, "rule_type_id": "siem.query"}
        assert each["alert"] == {"rule": rule}
        assert each["saved_objects"][1] == {"rel": "primary", **related[0]}


async def filled(gateway: HttpGateway) -> None:
    await gateway.read_models.add_outcomes(
        *run("e1", at=minutes(1)),
        *run("e2", BOOM, at=minutes(2), connector_id="ops", in_memory=True, space_id="red"),
        *run("e3", at=minutes(3), connector_id="ops", in_memory=True),
    )


async def test_events_of_connectors_of_the_configuration_are_found_from_every_space(gateway: HttpGateway) -> None:
    await filled(gateway)

    for space in ("", "/s/red", "/s/blue"):
        answer = await gateway.get(f"{space}{FIND}/ops/_find", headers=INTERNAL)
        assert answer.body["total"] == 4


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?per_page=2", ["e2", "e2"]),
        ("?per_page=3&page=2", ["e3"]),
        ("?per_page=0", []),
        ("?filter=" + quote("event.outcome: failure"), ["e2"]),
        ("?filter=" + quote("event.action: execute"), ["e2", "e3"]),
        ("?start=2026-11-24T12:03:00.000Z", ["e3", "e3"]),
        ("?end=2026-11-24T12:02:00.000Z", ["e2"]),
        ("?sort=" + quote('[{"sort_field":"@timestamp","sort_order":"desc"}]'), ["e3", "e3", "e2", "e2"]),
        ("?sort=" + quote('[{"sort_field":"event.end"}]'), ["e2", "e3", "e2", "e3"]),
        ("?sort=" + quote('{"sort_field":"message"}'), ["e3", "e2", "e2", "e3"]),
    ],
)
async def test_events_are_filtered_sorted_and_paged(gateway: HttpGateway, query: str, found: list[str]) -> None:
    await filled(gateway)

    answer = await find(gateway, "ops", query)

    assert answer.status == 200
    assert [each["kibana"]["action"]["execution"]["uuid"] for each in answer.body["data"]] == found


async def test_events_of_several_connectors(gateway: HttpGateway) -> None:
    await filled(gateway)

    answer = await gateway.call("POST", f"{FIND}/_find", {"ids": ["ops"], "legacyIds": ["old"]}, headers=INTERNAL)

    assert (answer.status, answer.body["total"]) == (200, 4)


@pytest.mark.parametrize(
    ("method", "path", "body", "name"),
    [
        ("GET", f"{FIND}/nothing/_find", None, "nothing"),
        ("GET", f"{FIND}/{SYSTEM}/_find", None, SYSTEM),
        ("POST", f"{FIND}/_find", {"ids": ["ops", "nothing"]}, "nothing"),
        ("POST", f"{FIND}/_find", {"ids": ["ops", SYSTEM]}, SYSTEM),
    ],
)
async def test_events_of_what_is_not_there_are_not_found(
    gateway: HttpGateway, method: str, path: str, body: Any, name: str
) -> None:
    answer = await gateway.call(method, path, body, headers=INTERNAL)

    assert (answer.status, answer.message) == (404, f"Saved object [action/{name}] not found")


async def test_events_are_those_of_connectors_that_the_space_has(living: HttpGateway) -> None:
    foreign = await find(living, "c2")
    own = await living.get(f"/s/red{FIND}/c2/_find", headers=INTERNAL)
    rule = await living.get("/internal/event_log/alert/rule-1/_find", headers=INTERNAL)

    assert (foreign.status, foreign.message) == (404, "Saved object [action/c2] not found")
    assert own.status == 200
    assert (rule.status, rule.message) == (404, "Saved object [alert/rule-1] not found")


async def test_events_of_no_connector_are_none(living: HttpGateway) -> None:
    answer = await living.call("POST", f"{FIND}/_find", {"ids": []}, headers=INTERNAL)

    assert (answer.status, answer.body) == (200, {"page": 1, "per_page": 10, "total": 0, "data": []})


@pytest.mark.parametrize(
    ("method", "path", "body"), [("GET", f"{FIND}/ops/_find", None), ("POST", f"{FIND}/_find", {"ids": []})]
)
async def test_who_may_not_get_connectors_finds_no_events(
    gateway: HttpGateway, method: str, path: str, body: Any
) -> None:
    answer = await gateway.call(method, path, body, headers=INTERNAL, auth=VIEWER)

    assert (answer.status, answer.message) == (403, "Unauthorized to get actions")


BAD_FINDS = [
    ("?filter=" + quote("a: ("), "Invalid kuery syntax for filter a: ("),
    (
        "?page=1001",
        "Result window is too large, from + size must be less than or equal to: [10000] but was [10010]",
    ),
]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        *BAD_FINDS,
        ("?page=0", "[request query.page]: Value must be equal to or greater than [1]."),
        ("?per_page=-1", "[request query.per_page]: Value must be equal to or greater than [0]."),
        ("?start=x", "[request query.start]: Invalid Date"),
        ("?sort=[", "[request query.sort]: could not parse array value from json input"),
        ("?sort=[1]", "[request query.sort.0]: expected an object with [sort_field] and [sort_order]"),
        (
            "?sort=" + quote('[{"sort_field":"event.end","sort_order":"up"}]'),
            "[request query.sort.0.sort_order]: expected [asc] or [desc]",
        ),
    ],
)
async def test_what_is_wrong_with_a_find_is_named(gateway: HttpGateway, query: str, text: str) -> None:
    answer = await find(gateway, "ops", query)

    assert (answer.status, answer.message) == (400, text)


@pytest.mark.parametrize(("query", "text"), BAD_FINDS)
async def test_what_is_wrong_with_a_find_of_several_is_named(gateway: HttpGateway, query: str, text: str) -> None:
    answer = await gateway.call("POST", f"{FIND}/_find{query}", {"ids": []}, headers=INTERNAL)

    assert (answer.status, answer.message) == (400, text)


async def search(gateway: HttpGateway, body: Any = None, path: str = SEARCH, method: str = "POST") -> Answer:
    return await gateway.call(method, path, body, headers={})


def found_by(answer: Answer) -> list[str]:
    return [each["_id"] for each in answer.body["hits"]["hits"]]


NESTED = {
    "nested": {
        "path": "kibana.saved_objects",
        "query": {
            "bool": {
                "must": [
                    {"match": {"kibana.saved_objects.id": "rule-1"}},
                    {"term": {"kibana.saved_objects.type": "alert"}},
                ]
            }
        },
    }
}
NEWEST = [{"@timestamp": {"order": "desc"}}]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"query": {"bool": {"filter": [NESTED]}}, "sort": NEWEST}, ["e2/execute", "e2/execute-start"]),
        (
            {"query": {"bool": {"filter": [{"term": {"event.provider": "actions"}}, NESTED]}}, "size": 1},
            ["e2/execute"],
        ),
        ({"query": {"bool": {"filter": [{"term": {"event.provider": "alerting"}}, NESTED]}}}, []),
        ({"query": {"term": {"event.action": "execute"}}, "sort": NEWEST}, ["e3/execute", "e2/execute", "e1/execute"]),
        ({"query": {"match": {"event.outcome": "failure"}}}, ["e2/execute"]),
        ({"query": {"exists": {"field": "error.message"}}}, ["e2/execute"]),
        ({"query": {"range": {"@timestamp": {"gte": "2026-11-24T12:03:00Z"}}}}, ["e3/execute", "e3/execute-start"]),
        ({"query": {"match_all": {}}, "from": 5, "size": 5}, ["e1/execute-start"]),
    ],
)
async def test_documented_searches_find_what_they_ask_for(gateway: HttpGateway, body: Any, found: list[str]) -> None:
    await gateway.read_models.add_outcomes(
        *run("e1", at=minutes(1)),
        *run("e2", BOOM, at=minutes(2), context=RULE, space_id="red"),
        *run("e3", at=minutes(3)),
    )

    answer = await search(gateway, body)

    assert (answer.status, found_by(answer)) == (200, found)


async def test_an_answer_has_the_shape_of_elasticsearch(gateway: HttpGateway) -> None:
    await gateway.read_models.add_outcomes(*run("e1", at=minutes(1)))

    answer = await search(gateway, {"size": 1, "sort": NEWEST})

    assert answer.headers["X-Elastic-Product"] == "Elasticsearch"
    body = answer.body
    (hit,) = body["hits"]["hits"]
    assert hit.pop("_source")["event"]["action"] == "execute"
    assert body == {
        "took": 0,
        "timed_out": False,
        "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0},
        "hits": {"total": {"value": 2, "relation": "eq"}, "max_score": None, "hits": [hit]},
    }
    assert hit == {"_index": ".kibana-event-log-ds", "_id": "e1/execute", "_score": None, "sort": [1795521660027]}


async def test_a_search_may_come_by_get_with_a_body_and_in_the_words_of_its_clients(gateway: HttpGateway) -> None:
    await gateway.read_models.add_outcomes(*run("e1"), *cut_off("e2"))
    body = json.dumps({"query": {"term": {"event.action": "execute-timeout"}}}).encode()
    media_type = {"Content-Type": "application/vnd.elasticsearch+json; compatible-with=8"}

    answer = await gateway.call("GET", SEARCH, data=body, headers=media_type)

    assert (answer.status, found_by(answer)) == (200, ["e2/execute-timeout"])


async def test_what_stands_in_the_url_counts_where_the_body_says_nothing(gateway: HttpGateway) -> None:
    await filled(gateway)

    options = "?size=1&from=1&sort=@timestamp:asc&track_total_hits=false&ignore_unavailable=true"
    by_get = await search(gateway, path=SEARCH + options, method="GET")
    by_post = await search(gateway, {"size": 2, "_source": False}, path=SEARCH + options)

    assert found_by(by_get) == ["e1/execute"]
    assert "total" not in by_get.body["hits"]
    assert found_by(by_post) == ["e1/execute", "e2/execute-start"]
    assert "_source" not in by_post.body["hits"]["hits"][0]


@pytest.mark.parametrize(
    ("tracked", "total"),
    [(1, {"value": 1, "relation": "gte"}), (True, {"value": 6, "relation": "eq"}), (9, {"value": 6, "relation": "eq"})],
)
async def test_hits_are_counted_as_far_as_asked(gateway: HttpGateway, tracked: Any, total: Any) -> None:
    await filled(gateway)

    answer = await search(gateway, {"size": 0, "track_total_hits": tracked})

    assert answer.body["hits"] == {"total": total, "max_score": None, "hits": []}


@pytest.mark.parametrize(
    "index", [".kibana-event-log-ds", ".kibana-event-log-*", "*", ".kibana*", ".other,.kibana-event-log*"]
)
@pytest.mark.parametrize("space", ["", "/s/red"])
async def test_every_pattern_that_covers_the_log_names_it(gateway: HttpGateway, index: str, space: str) -> None:
    assert (await search(gateway, path=f"{space}/{index}/_search")).status == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("index", [".kibana-event-log", ".kibana_1", ".kibana-event-logs*"])
async def test_no_other_name_is_found(gateway: HttpGateway, method: str, index: str) -> None:
    answer = await search(gateway, path=f"/{index}/_search", method=method)

    assert (answer.status, answer.message) == (404, "Not Found")


SUPPORTED = "match_all, match_none, term, terms, match, match_phrase, exists, range, bool, nested"
BAD_SEARCHES: list[tuple[Any, str]] = [
    (
        {"query": {"fuzzy": {}}},
        f"unknown query [fuzzy]: supported are {SUPPORTED}",
    ),
    (
        {"query": {"term": {"message": {"value": "x", "case_insensitive": True}}}},
        "[term] query does not support [case_insensitive]",
    ),
    ({"sort": ["nothing"]}, "No mapping found for [nothing] in order to sort on"),
    ({"sort": ["message"]}, "[message] is text, which cannot be sorted by"),
    (
        {"from": 9991},
        "Result window is too large, from + size must be less than or equal to: [10000] but was [10001]",
    ),
]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("body", "text"), BAD_SEARCHES)
async def test_what_a_search_cannot_do_is_refused(gateway: HttpGateway, method: str, body: Any, text: str) -> None:
    answer = await search(gateway, body, method=method)

    assert (answer.status, answer.message) == (400, text)


@pytest.mark.parametrize(
    ("body", "url", "text"),
    [
        ({"aggs": {}}, "", "[request body.aggs]: definition for this key is missing"),
        ({"size": -1}, "", "[request body.size]: Value must be equal to or greater than [0]."),
        ({}, "?q=x", "[request query.q]: definition for this key is missing"),
    ],
)
async def test_the_schema_of_a_search(gateway: HttpGateway, body: Any, url: str, text: str) -> None:
    answer = await search(gateway, body, path=SEARCH + url)

    assert (answer.status, answer.message) == (400, text)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_search_takes_the_privilege_in_all_spaces(gateway: HttpGateway, method: str) -> None:
    answer = await gateway.call(method, SEARCH, headers={}, auth=VIEWER)

    assert (answer.status, answer.message) == (403, "Unauthorized to get actions")


async def test_a_run_by_api_key_names_the_key(living: HttpGateway) -> None:
    key = (await living.call("POST", "/api/connectory/api_keys", {"name": "nightly"})).body
    auth = f"ApiKey {key['encoded']}"
    await living.call("POST", f"{CONNECTOR}/c1/_execute", {"params": {"body": "hello"}}, auth=auth)

    path = "?filter=" + quote("kibana.user_api_key.name: nightly")
    answer = await until_answer(lambda: find(living, query=path), lambda found: found.body["total"] == 1)

    (end,) = answer.body["data"]
    assert (end["kibana"]["user_api_key"], end["user"]) == ({"id": key["id"], "name": "nightly"}, {"name": "admin"})
