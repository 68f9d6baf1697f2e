"""Connectory's own routes: action requests, the event log, the schema registry, the status."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from connectory.domain.execution import ActionRequest, Delivery
from connectory.infra import topics
from tests.http_gateway import VIEWER, HttpGateway, http_gateway, reading_replies
from tests.unit.installation import Installation
from tests.waiting import until

REQUESTS = "/api/connectory/action_requests"
EVENT_LOG = "/api/connectory/event_log"
REQUEST = {"connector_id": "c1", "params": {"body": "x"}}


@pytest.fixture
async def gateway() -> AsyncIterator[HttpGateway]:
    async with http_gateway(await Installation().create_topics()) as gateway:
        await reading_replies(gateway)
        await gateway.create("c1")
        yield gateway


def requests_on(gateway: HttpGateway) -> list[ActionRequest]:
    return gateway.installation.read(topics.ACTION_REQUESTS, ActionRequest)


async def logged(gateway: HttpGateway, count: int, query: str = "") -> list[dict[str, Any]]:
    """Wait until the log holds so many final outcomes, and return the page."""
    store = gateway.read_models
    await gateway.installation.final_outcomes(count)
    last = gateway.installation.finals()[-1].execution_id
    await until(lambda: last in store.execution_ids())
    items: list[dict[str, Any]] = (await gateway.get(EVENT_LOG + query)).body["items"]
    return items


async def test_one_request_is_accepted_and_runs(gateway: HttpGateway) -> None:
    answer = await gateway.call("POST", REQUESTS, {**REQUEST, "request_id": "r1"})

    item = {"request_id": "r1", "connector_id": "c1", "status": "accepted"}
    assert (answer.status, answer.body) == (202, {"items": [item]})
    assert [final.outcome for final in await gateway.installation.final_outcomes(1)] == ["success"]


async def test_a_list_of_requests_is_accepted_in_its_order(gateway: HttpGateway) -> None:
    sent = [{**REQUEST, "request_id": f"r{number}"} for number in range(100)]

    answer = await gateway.call("POST", f"/s/red{REQUESTS}", {"requests": sent})

    assert answer.status == 202
    assert [item["request_id"] for item in answer.body["items"]] == [f"r{number}" for number in range(100)]
    assert {request.space_id for request in requests_on(gateway)} == {"red"}


async def test_all_that_a_request_may_say_reaches_the_log(gateway: HttpGateway) -> None:
    said = {
        "source": "nightly",
        "delivery": "at_most_once",
        "expires_at": "2030-01-01T01:00:00.000+01:00",
        "connector_version": 1,
        "ordering_key": "order-7",
        "max_attempts": 5,
    }
    await gateway.call("POST", REQUESTS, {**REQUEST, **said})

    (request,) = requests_on(gateway)

    assert (request.source, request.delivery, request.connector_version) == ("nightly", Delivery.AT_MOST_ONCE, 1)
    assert (request.ordering_key, request.max_attempts) == ("order-7", 5)
    assert request.expires_at == datetime(2030, 1, 1, tzinfo=UTC)
    assert (request.requested_by, request.reply_partition) == ("admin", None)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (None, "[request body]: expected a plain object value, but found [null] instead."),
        ({}, "[request body.connector_id]: expected value of type [string] but got [undefined]"),
        ({**REQUEST, "attempts": 3}, "[request body.attempts]: definition for this key is missing"),
        ({**REQUEST, "max_attempts": 0}, "[request body.max_attempts]: Value must be equal to or greater than [1]."),
        ({**REQUEST, "max_attempts": 11}, "[request body.max_attempts]: Value must be equal to or lower than [10]."),
        (
            {**REQUEST, "ordering_key": ""},
            "[request body.ordering_key]: value has length [0] but it must have a minimum length of [1].",
        ),
        (
            {**REQUEST, "ordering_key": 7},
            "[request body.ordering_key]: expected value of type [string] but got [number]",
        ),
        ({"requests": {}}, "[request body.requests]: expected value of type [array] but got [object]"),
        (
            {"requests": [REQUEST, {"connector_id": "c1"}]},
            "[request body.requests.1.params]: expected value of type [object] but got [undefined]",
        ),
        (
            {"requests": [REQUEST, REQUEST, "x"]},
            "[request body.requests.2]: expected a plain object value, but found [string] instead.",
        ),
    ],
)
async def test_one_bad_request_refuses_all_and_nothing_is_published(
    gateway: HttpGateway, body: Any, message: str
) -> None:
    answer = await gateway.call("POST", REQUESTS, body)

    assert (answer.status, answer.message) == (400, message)
    assert requests_on(gateway) == []


async def test_handing_in_requests_asks_for_execute(gateway: HttpGateway) -> None:
    answer = await gateway.call("POST", REQUESTS, REQUEST, auth=VIEWER)

    assert (answer.status, answer.message) == (403, "Unauthorized to execute actions")


async def test_the_event_log_has_both_ends_of_a_run_newest_first(gateway: HttpGateway) -> None:
    await gateway.call("POST", REQUESTS, {**REQUEST, "request_id": "r1"})

    items = await logged(gateway, 1)

    assert {item["action"] for item in items} == {"execute-start", "execute"}
    assert {item["request_id"] for item in items} == {"r1"}
    assert items[0]["connector_name"] == "hook"


async def test_the_event_log_is_read_page_by_page(gateway: HttpGateway) -> None:
    await gateway.call("POST", REQUESTS, {"requests": [{**REQUEST, "request_id": f"r{n}"} for n in range(5)]})
    await logged(gateway, 5)

    first = (await gateway.get(f"{EVENT_LOG}?size=3&action=execute")).body
    second = (await gateway.get(f"{EVENT_LOG}?size=3&action=execute&cursor={first['next_cursor']}")).body

    assert [len(page["items"]) for page in (first, second)] == [3, 2]
    assert {item["request_id"] for page in (first, second) for item in page["items"]} == {f"r{n}" for n in range(5)}
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("?x=1", "[request query.x]: definition for this key is missing"),
        ("?size=0", "[request query.size]: Value must be equal to or greater than [1]."),
        ("?action=run", "[request query.action]: types that failed validation:\n- [request query.action.0]: "),
        ("?from=now", "[request query.from]: expected a date-time such as 2025-09-30T12:00:00.000Z but got [now]"),
        ("?q=a&q=b", "[request query.q]: expected value of type [string] but got [array]"),
        ("?cursor=x", 'cursor "x" is not one that a page has named'),
    ],
)
async def test_queries_of_the_event_log_that_are_refused(gateway: HttpGateway, query: str, message: str) -> None:
    answer = await gateway.get(EVENT_LOG + query)

    assert answer.status == 400
    assert answer.message.startswith(message)


async def test_the_event_log_of_another_space_is_empty(gateway: HttpGateway) -> None:
    await gateway.call("POST", REQUESTS, REQUEST)
    await logged(gateway, 1)

    assert (await gateway.get(f"/s/red{EVENT_LOG}")).body == {"items": [], "next_cursor": None}


async def test_reading_the_event_log_asks_for_get(gateway: HttpGateway) -> None:
    answer = await gateway.get(EVENT_LOG, auth=VIEWER)

    assert (answer.status, answer.message) == (403, "Unauthorized to get actions")


async def test_the_types_are_listed_for_every_caller_in_the_order_of_registration(gateway: HttpGateway) -> None:
    answer = await gateway.get("/api/actions/connector_types", auth=VIEWER)

    assert [each["id"] for each in answer.body] == [each.id for each in gateway.installation.registry]
    assert answer.body[0] == {
        "id": ".server-log",
        "name": "Server log",
        "enabled": True,
        "enabled_in_config": True,
        "enabled_in_license": True,
        "minimum_license_required": "basic",
        "supported_feature_ids": ["alerting", "uptime", "siem", "workflows"],
        "is_system_action_type": False,
        "is_deprecated": False,
        "source": "stack",
    }


@pytest.mark.parametrize(("feature", "found"), [("alerting", True), ("cases", True), ("x" * 100, False)])
async def test_types_are_kept_by_feature(gateway: HttpGateway, feature: str, found: bool) -> None:
    answer = await gateway.get(f"/api/actions/connector_types?feature_id={feature}")

    assert (answer.status, bool(answer.body)) == (200, found)


async def test_the_internal_origin_is_taken_out_of_a_query_before_it_is_checked(gateway: HttpGateway) -> None:
    answer = await gateway.get("/api/actions/connector_types?elasticInternalOrigin=x&feature_id=alerting")

    assert answer.status == 200


async def test_the_status_without_credentials_is_the_level_alone(gateway: HttpGateway) -> None:
    answer = await gateway.get("/s/red/api/status", auth=None)

    assert (answer.status, answer.body) == (200, {"status": {"overall": {"level": "available"}}})


async def test_the_status_says_what_clients_look_for(gateway: HttpGateway) -> None:
    body = (await gateway.get("/api/status")).body

    assert (body["version"]["number"], body["version"]["build_flavor"]) == ("9.3.0", "traditional")
    assert body["status"]["overall"] == {
        "level": "available",
        "summary": "All services and plugins are available",
    }
    assert (await gateway.get("/api/status")).body["uuid"] == body["uuid"]


async def test_a_database_that_is_away_degrades_the_status(gateway: HttpGateway) -> None:
    gateway.read_models.away = True

    answer = await gateway.get("/api/status")

    assert (answer.status, answer.body["status"]["overall"]["level"]) == (200, "degraded")


async def test_the_root_answers_clients_of_elasticsearch(gateway: HttpGateway) -> None:
    answer = await gateway.get(
        "/", auth=None, headers={"Accept": "application/vnd.elasticsearch+json;compatible-with=9"}
    )

    assert (answer.status, answer.headers["X-Elastic-Product"]) == (200, "Elasticsearch")
    assert answer.body["version"] == {"number": "9.3.0", "build_flavor": "default"}


async def test_the_registry_serves_every_version_of_every_subject(gateway: HttpGateway) -> None:
    for subject in (await gateway.get("/subjects")).body:
        for version in (await gateway.get(f"/subjects/{subject}/versions")).body:
            shown = (await gateway.get(f"/subjects/{subject}/versions/{version}")).body
            by_id = (await gateway.get(f"/schemas/ids/{shown['id']}")).body
            assert by_id == {"schema": shown["schema"]}
            assert json.loads(shown["schema"])["type"] == "record"


async def test_the_latest_version_has_a_name(gateway: HttpGateway) -> None:
    latest = (await gateway.get("/subjects/connectory.ActionRequest/versions/latest")).body

    assert latest["version"] == (await gateway.get("/subjects/connectory.ActionRequest/versions")).body[-1]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/schemas/ids/999999", 404, 40403),
        ("/schemas/ids/x", 404, 40403),
        ("/subjects/nothing/versions", 404, 40401),
        ("/subjects/nothing/versions/1", 404, 40401),
        ("/subjects/connectory.ActionRequest/versions/99", 404, 40402),
        ("/subjects/connectory.ActionRequest/versions/0", 422, 42202),
        ("/subjects/connectory.ActionRequest/versions/first", 422, 42202),
    ],
)
async def test_what_the_registry_does_not_have(gateway: HttpGateway, path: str, status: int, code: int) -> None:
    answer = await gateway.get(path)

    assert (answer.status, answer.body["error_code"]) == (status, code)


async def test_a_schema_id_that_is_no_number_is_named_as_it_was_given(gateway: HttpGateway) -> None:
    answer = await gateway.get("/schemas/ids/latest")

    assert (answer.status, answer.message) == (404, "Schema latest not found")


async def test_the_registry_needs_a_login(gateway: HttpGateway) -> None:
    assert (await gateway.get("/subjects", auth=None)).status == 401
