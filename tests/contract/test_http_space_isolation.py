"""What is in one space cannot be seen, changed, run or counted from another, and goes with its space."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectory.gateway.catching_up import CatchingUp
from tests.http_gateway import CONNECTOR, HOOK, HttpGateway, http_gateway, reading_replies
from tests.unit.installation import Installation
from tests.waiting import until_answer

SPACE = "/api/spaces/space"
SALES, OPS = "/s/sales", "/s/ops"
NOT_FOUND = "Saved object [action/c1] not found"
EVENT_LOG = "/api/connectory/event_log"
REQUESTS = "/api/connectory/action_requests"
LETTERS = "/api/connectory/dead_letters"
UPDATE: dict[str, Any] = {"name": "new", "config": HOOK["config"], "secrets": {}}


@pytest.fixture
async def gateway() -> AsyncIterator[HttpGateway]:
    async with http_gateway(await Installation().create_topics()) as gateway:
        await reading_replies(gateway)
        for space_id in ("sales", "ops"):
            await gateway.call("POST", SPACE, {"id": space_id, "name": space_id})
        await gateway.create("c1", space=SALES)
        yield gateway


async def items(gateway: HttpGateway, path: str) -> list[dict[str, Any]]:
    return list((await gateway.get(path)).body["items"])


async def logged(gateway: HttpGateway, path: str, count: int = 1) -> list[dict[str, Any]]:
    """Wait until there are so many entries."""
    return await until_answer(lambda: items(gateway, path), lambda found: len(found) >= count)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"{CONNECTOR}/c1", None),
        ("PUT", f"{CONNECTOR}/c1", UPDATE),
        ("DELETE", f"{CONNECTOR}/c1", None),
        ("POST", f"{CONNECTOR}/c1/_execute", {"params": {}}),
        ("GET", "/api/connectory/connector/c1", None),
        ("POST", "/api/connectory/connector/c1/_disable", None),
    ],
)
@pytest.mark.parametrize("space", ["", OPS, "/s/none"])
async def test_a_connector_is_not_there_from_another_space(
    gateway: HttpGateway, method: str, path: str, body: dict[str, Any] | None, space: str
) -> None:
    answer = await gateway.call(method, space + path, body)

    assert (answer.status, answer.message) == (404, NOT_FOUND)
    assert (await gateway.get(f"{SALES}{CONNECTOR}/c1")).body["name"] == "hook"


async def test_lists_hold_what_is_in_the_space(gateway: HttpGateway) -> None:
    await gateway.create("c2")

    listed = {space: (await gateway.get(f"{space}/api/actions/connectors")).body for space in (SALES, OPS, "")}

    assert {space: [each["id"] for each in found] for space, found in listed.items()} == {
        SALES: ["c1"],
        OPS: [],
        "": ["c2"],
    }


async def test_an_id_is_taken_in_all_spaces(gateway: HttpGateway) -> None:
    answer = await gateway.create("c1", space=OPS)

    assert (answer.status, answer.message) == (409, "Saved object [action/c1] conflict")


async def test_the_event_log_is_that_of_the_space(gateway: HttpGateway) -> None:
    await gateway.call("POST", f"{SALES}{CONNECTOR}/c1/_execute", {"params": {}})

    found = await logged(gateway, f"{SALES}{EVENT_LOG}", 2)

    assert {item["space_id"] for item in found} == {"sales"}
    assert (await items(gateway, f"{OPS}{EVENT_LOG}"), await items(gateway, EVENT_LOG)) == ([], [])


async def test_a_request_from_another_space_does_not_reach_the_connector(gateway: HttpGateway) -> None:
    await gateway.call("POST", OPS + REQUESTS, {"connector_id": "c1", "params": {}, "request_id": "r1"})

    [ended] = await logged(gateway, f"{OPS}{EVENT_LOG}?request_id=r1&action=execute")
    [letter] = await logged(gateway, OPS + LETTERS)

    assert (ended["outcome"], gateway.installation.target.calls) == ("failure", [])
    assert (letter["request_id"], await items(gateway, SALES + LETTERS)) == ("r1", [])


async def test_what_is_in_a_space_goes_with_it(gateway: HttpGateway) -> None:
    await gateway.create("c2", space=OPS)
    await gateway.call("POST", SALES + REQUESTS, {"connector_id": "none", "params": {}})
    await logged(gateway, SALES + LETTERS)
    await gateway.call("PUT", f"{SALES}/api/connectory/references/c1/rule/r1")

    deleted = await gateway.call("DELETE", f"{SPACE}/sales")

    assert deleted.status == 204
    assert (await gateway.get(f"{SALES}/api/actions/connectors")).body == []
    assert (await gateway.get(f"{SALES}{CONNECTOR}/c1")).message == NOT_FOUND
    assert await items(gateway, SALES + LETTERS) == []
    assert [state.connector_id for state in gateway.installation.states().values()] == ["c2"]
    assert [bool(each.value) for each in gateway.installation.log.records("connector-references")] == [True, False]


async def test_requests_that_wait_end_when_their_space_is_deleted(gateway: HttpGateway) -> None:
    policy = {"requests_per_second": 0.001, "burst": 1}
    await gateway.call("PUT", f"{SALES}/api/connectory/connector/c1/delivery_policy", policy)
    await gateway.call("POST", f"{SALES}{CONNECTOR}/c1/_execute", {"params": {}})
    for request_id in ("r0", "r1"):
        await gateway.call("POST", SALES + REQUESTS, {"connector_id": "c1", "params": {}, "request_id": request_id})
    await logged(gateway, f"{SALES}{EVENT_LOG}?request_id=r1&action=rate-limited")

    await gateway.call("DELETE", f"{SPACE}/sales")
    [ended] = await logged(gateway, f"{SALES}{EVENT_LOG}?request_id=r1&action=cancelled")

    assert (ended["final"], ended["reason"]) == (True, "connector-not-found")


async def test_a_connector_may_be_created_in_a_space_that_was_deleted(gateway: HttpGateway) -> None:
    await gateway.call("DELETE", f"{SPACE}/sales")

    created = await gateway.create("c1", space=SALES)

    assert (created.status, (await gateway.get(f"{SALES}{CONNECTOR}/c1")).status) == (200, 200)


async def test_a_space_is_taken_until_its_deletion_has_ended(
    gateway: HttpGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go_on = asyncio.Event()

    async def held(*_: object) -> None:
        await may_go_on.wait()

    monkeypatch.setattr(CatchingUp, "everywhere", held)
    deleting = asyncio.create_task(gateway.call("DELETE", f"{SPACE}/sales"))
    again: dict[str, Any] = {"id": "sales", "name": "again"}
    gone = await until_answer(lambda: gateway.get(f"{SPACE}/sales"), lambda answer: answer.status == 404)
    refused = await gateway.call("POST", SPACE, again)
    others = [await gateway.call("DELETE", f"{SPACE}/sales"), await gateway.call("PUT", f"{SPACE}/sales", again)]
    may_go_on.set()

    text = "The space sales is still being deleted. Create it again in a moment."
    assert (gone.message, refused.status, refused.message) == ("Not Found", 409, text)
    assert [answer.status for answer in others] == [404, 404]
    assert (await deleting).status == 204
    assert (await gateway.call("POST", SPACE, again)).status == 200
