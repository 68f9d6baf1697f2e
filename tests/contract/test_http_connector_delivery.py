"""Switching connectors off and on, and limiting them."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.http_gateway import CONNECTOR, HOOK, VIEWER, XSRF, HttpGateway, http_gateway, reading_replies
from tests.unit.installation import Installation

OWN = "/api/connectory/connector"
POLICY = {"max_attempts": 5, "max_in_flight": 2, "requests_per_second": 0.5, "burst": 3}
AS_SETTINGS_SAY = dict.fromkeys(POLICY)
CALLS: list[tuple[str, str, dict[str, object] | None, str]] = [
    ("GET", "", None, "get actions"),
    ("POST", "/_enable", None, "update actions"),
    ("POST", "/_disable", None, "update actions"),
    ("GET", "/delivery_policy", None, "get actions"),
    ("PUT", "/delivery_policy", {}, "update actions"),
]


@pytest.fixture
async def gateway() -> AsyncIterator[HttpGateway]:
    async with http_gateway(await Installation().create_topics()) as gateway:
        await reading_replies(gateway)
        await gateway.create("c1")
        yield gateway


async def test_a_new_connector_is_enabled_and_runs_as_the_settings_say(gateway: HttpGateway) -> None:
    answer = await gateway.get(f"{OWN}/c1")

    assert (answer.status, answer.body) == (
        200,
        {
            "id": "c1",
            "name": "hook",
            "connector_type_id": ".webhook",
            "enabled": True,
            "version": 1,
            "delivery_policy": AS_SETTINGS_SAY,
        },
    )


async def test_a_connector_is_disabled_and_enabled_again_and_the_next_read_shows_it(gateway: HttpGateway) -> None:
    disabled = await gateway.call("POST", f"{OWN}/c1/_disable")
    shown = (await gateway.get(f"{OWN}/c1")).body
    enabled = await gateway.call("POST", f"{OWN}/c1/_enable", {})

    assert (disabled.status, disabled.body) == (200, {"id": "c1", "enabled": False, "version": 2})
    assert (shown["enabled"], shown["version"]) == (False, 2)
    assert (enabled.status, enabled.body) == (200, {"id": "c1", "enabled": True, "version": 3})
    assert (await gateway.get(f"{OWN}/c1")).body["enabled"]


@pytest.mark.parametrize(("route", "version"), [("_enable", 1), ("_disable", 2)])
async def test_what_is_so_already_stays_as_it_is(gateway: HttpGateway, route: str, version: int) -> None:
    answers = [await gateway.call("POST", f"{OWN}/c1/{route}") for _ in range(2)]

    assert [answer.status for answer in answers] == [200, 200]
    assert [answer.body["version"] for answer in answers] == [version, version]


async def test_a_run_through_a_disabled_connector_is_refused(gateway: HttpGateway) -> None:
    await gateway.call("POST", f"{OWN}/c1/_disable")

    answer = await gateway.call("POST", f"{CONNECTOR}/c1/_execute", {"params": {}})

    assert (answer.status, answer.body["status"]) == (200, "error")
    assert answer.message == "the connector c1 is disabled: enable it first"
    assert gateway.installation.target.calls == []


async def test_a_policy_is_read_as_it_was_set(gateway: HttpGateway) -> None:
    answer = await gateway.call("PUT", f"{OWN}/c1/delivery_policy", POLICY)

    assert (answer.status, answer.body) == (200, POLICY)
    assert (await gateway.get(f"{OWN}/c1/delivery_policy")).body == POLICY
    assert (await gateway.get(f"{OWN}/c1")).body["delivery_policy"] == POLICY


async def test_a_policy_is_replaced_whole(gateway: HttpGateway) -> None:
    await gateway.call("PUT", f"{OWN}/c1/delivery_policy", POLICY)

    await gateway.call("PUT", f"{OWN}/c1/delivery_policy", {"max_in_flight": 1, "burst": None})

    assert (await gateway.get(f"{OWN}/c1/delivery_policy")).body == {**AS_SETTINGS_SAY, "max_in_flight": 1}


async def test_an_update_of_the_connector_leaves_switch_and_policy_as_they_are(gateway: HttpGateway) -> None:
    await gateway.call("POST", f"{OWN}/c1/_disable")
    await gateway.call("PUT", f"{OWN}/c1/delivery_policy", POLICY)

    await gateway.call("PUT", f"{CONNECTOR}/c1", {"name": "new", "config": HOOK["config"]})

    shown = (await gateway.get(f"{OWN}/c1")).body
    assert (shown["name"], shown["enabled"], shown["delivery_policy"]) == ("new", False, POLICY)


async def test_a_switch_that_is_repeated_with_its_command_id_happens_once(gateway: HttpGateway) -> None:
    headers = {**XSRF, "x-connectory-command-id": str(uuid.uuid4())}

    first = await gateway.call("POST", f"{OWN}/c1/_disable", headers=headers)
    again = await gateway.call("POST", f"{OWN}/c1/_disable", headers=headers)

    assert (first.body, again.body) == ({"id": "c1", "enabled": False, "version": 2},) * 2


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (None, "[request body]: expected a plain object value, but found [null] instead."),
        ({"attempts": 3}, "[request body.attempts]: definition for this key is missing"),
        ({"max_attempts": 0}, "[request body.max_attempts]: Value must be equal to or greater than [1]."),
        ({"max_attempts": 11}, "[request body.max_attempts]: Value must be equal to or lower than [10]."),
        ({"max_attempts": 1.5}, "[request body.max_attempts]: expected an integer but got [1.5]"),
        ({"max_attempts": True}, "[request body.max_attempts]: expected value of type [number] but got [boolean]"),
        ({"max_in_flight": 0}, "[request body.max_in_flight]: Value must be equal to or greater than [1]."),
        ({"max_in_flight": 2**31}, "[request body.max_in_flight]: Value must be equal to or lower than [2147483647]."),
        ({"burst": "3"}, "[request body.burst]: expected value of type [number] but got [string]"),
        ({"burst": 0}, "[request body.burst]: Value must be equal to or greater than [1]."),
        (
            {"requests_per_second": 0},
            "[request body.requests_per_second]: Value must be equal to or greater than [0.0001].",
        ),
        (
            {"requests_per_second": 10001},
            "[request body.requests_per_second]: Value must be equal to or lower than [10000].",
        ),
        (
            {"requests_per_second": "1"},
            "[request body.requests_per_second]: expected value of type [number] but got [string]",
        ),
        (
            {"requests_per_second": False},
            "[request body.requests_per_second]: expected value of type [number] but got [boolean]",
        ),
    ],
)
async def test_policies_that_are_refused(gateway: HttpGateway, body: Any, message: str) -> None:
    answer = await gateway.call("PUT", f"{OWN}/c1/delivery_policy", body)

    assert (answer.status, answer.message) == (400, message)
    assert (await gateway.get(f"{OWN}/c1")).body["version"] == 1


@pytest.mark.parametrize("value", [1, 2.0, 0.0001, 10_000])
async def test_whole_and_broken_rates_are_numbers(gateway: HttpGateway, value: float) -> None:
    answer = await gateway.call("PUT", f"{OWN}/c1/delivery_policy", {"requests_per_second": value})

    assert (answer.status, answer.body["requests_per_second"]) == (200, value)


async def test_switches_take_no_body(gateway: HttpGateway) -> None:
    answer = await gateway.call("POST", f"{OWN}/c1/_disable", {"reason": "x"})

    assert (answer.status, answer.message) == (400, "[request body.reason]: definition for this key is missing")


@pytest.mark.parametrize(("method", "path", "body", "_operation"), CALLS)
@pytest.mark.parametrize(("space", "connector_id"), [("", "gone"), ("/s/red", "c1")])
async def test_a_connector_that_is_not_there_or_in_another_space_is_not_found(
    gateway: HttpGateway, method: str, path: str, body: Any, _operation: str, space: str, connector_id: str
) -> None:
    answer = await gateway.call(method, f"{space}{OWN}/{connector_id}{path}", body)

    assert (answer.status, answer.message) == (404, f"Saved object [action/{connector_id}] not found")


@pytest.mark.parametrize(("method", "path", "body", "operation"), CALLS)
async def test_each_call_asks_for_its_privilege(
    gateway: HttpGateway, method: str, path: str, body: Any, operation: str
) -> None:
    answer = await gateway.call(method, f"{OWN}/c1{path}", body, auth=VIEWER)

    assert (answer.status, answer.message) == (403, f"Unauthorized to {operation}")


@pytest.mark.parametrize(("method", "path", "body", "_operation"), [call for call in CALLS if call[0] != "GET"])
async def test_changes_need_the_header_against_forgery(
    gateway: HttpGateway, method: str, path: str, body: Any, _operation: str
) -> None:
    answer = await gateway.call(method, f"{OWN}/c1{path}", body, headers={})

    assert (answer.status, answer.message) == (400, "Request must contain a kbn-xsrf header.")
