"""Cancelling requests over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from connectory.connector_types.contract import OutgoingRequest, OutgoingResponse
from connectory.gateway import server
from connectory.gateway.cancellations import Cancellations
from connectory.infra.topics import ACTION_CANCELLATIONS
from tests.http_gateway import VIEWER, HttpGateway, http_gateway, reading_replies
from tests.unit.installation import Installation
from tests.waiting import until, until_answer

REQUESTS = "/api/connectory/action_requests"
ONE_AT_A_TIME = {"max_in_flight": 1}


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what is answered: they do not depend on how long an executor takes to it on this machine."""
    monkeypatch.setattr(server, "Cancellations", partial(Cancellations, patience=timedelta(minutes=1)))


@pytest.fixture
async def gateway() -> AsyncIterator[HttpGateway]:
    async with http_gateway(await Installation().create_topics()) as gateway:
        await reading_replies(gateway)
        await gateway.create("c1")
        yield gateway


@pytest.fixture
async def release(gateway: HttpGateway) -> AsyncIterator[Callable[[], None]]:
    """The target does not answer until this is called. `r1` is on its way there, `r2` waits behind it."""
    released = asyncio.Event()

    async def hangs(request: OutgoingRequest) -> OutgoingResponse:
        await released.wait()
        return OutgoingResponse(status=200, reason="OK", headers={}, body=b"")

    gateway.installation.target.answer = hangs
    await gateway.call("PUT", "/api/connectory/connector/c1/delivery_policy", ONE_AT_A_TIME)
    await submit(gateway, "r1", "r2")
    await until(lambda: gateway.installation.target.calls)
    yield released.set
    released.set()


async def submit(gateway: HttpGateway, *request_ids: str, space: str = "") -> None:
    requests = [{"connector_id": "c1", "params": {"body": each}, "request_id": each} for each in request_ids]
    assert (await gateway.call("POST", space + REQUESTS, {"requests": requests})).status == 202


def logged(gateway: HttpGateway, request_id: str) -> Callable[[], Awaitable[list[dict[str, Any]]]]:
    async def finals() -> list[dict[str, Any]]:
        items = (await gateway.get(f"/api/connectory/event_log?request_id={request_id}")).body["items"]
        return [item for item in items if item["final"]]

    return finals


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("query", ["", "?connector_id=c1"])
async def test_a_request_that_waits_is_cancelled_and_not_run(
    gateway: HttpGateway, release: Callable[[], None], query: str
) -> None:
    answer = await gateway.call("DELETE", f"{REQUESTS}/r2{query}")
    release()
    (final,) = await until_answer(logged(gateway, "r2"), bool)

    assert (answer.status, answer.body) == (200, {"request_id": "r2", "connector_id": "c1", "status": "cancelled"})
    assert (final["action"], final["outcome"], final["reason"]) == ("cancelled", "failure", "request-cancelled")
    assert [call.body for call in gateway.installation.target.calls] == [b"r1"]


@pytest.mark.usefixtures("patient")
async def test_a_request_that_is_just_being_put_off_is_cancelled_too(gateway: HttpGateway) -> None:
    await gateway.call("PUT", "/api/connectory/connector/c1/delivery_policy", {"requests_per_second": 0.01})
    waiting = [f"r{number}" for number in range(1, 10)]
    await submit(gateway, "r0", *waiting)

    answers = await asyncio.gather(*(gateway.call("DELETE", f"{REQUESTS}/{each}") for each in waiting))

    assert [answer.body["status"] for answer in answers] == ["cancelled"] * len(waiting)


async def test_a_request_that_has_begun_goes_on(gateway: HttpGateway, release: Callable[[], None]) -> None:
    answer = await gateway.call("DELETE", f"{REQUESTS}/r1")
    release()
    (final,) = await until_answer(logged(gateway, "r1"), bool)

    assert (answer.status, answer.body) == (202, {"request_id": "r1", "status": "accepted"})
    assert final["outcome"] == "success"


async def test_a_request_that_has_ended_cannot_be_cancelled(gateway: HttpGateway) -> None:
    await submit(gateway, "r1")
    await until_answer(logged(gateway, "r1"), bool)

    answer = await gateway.call("DELETE", f"{REQUESTS}/r1")

    assert (answer.status, answer.body["error"]) == (409, "Conflict")
    assert answer.message.startswith("the request r1 has ended already, at ")
    assert answer.message.endswith(" (success): it cannot be cancelled")


async def test_a_request_that_arrives_after_its_cancellation_is_not_run(gateway: HttpGateway) -> None:
    early = await gateway.call("DELETE", f"{REQUESTS}/r1")
    await submit(gateway, "r1")
    (final,) = await until_answer(logged(gateway, "r1"), bool)

    assert (early.status, final["reason"]) == (202, "request-cancelled")
    assert gateway.installation.target.calls == []


async def test_a_request_of_another_space_is_out_of_reach(gateway: HttpGateway, release: Callable[[], None]) -> None:
    answer = await gateway.call("DELETE", f"/s/red{REQUESTS}/r2")
    release()
    (final,) = await until_answer(logged(gateway, "r2"), bool)

    assert (answer.status, final["outcome"]) == (202, "success")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            f"/{'r' * 257}",
            "[request params.request_id]: value has length [257] but it must have a maximum length of [256].",
        ),
        ("/r1?connector=c1", "[request query.connector]: definition for this key is missing"),
        (
            "/r1?connector_id=",
            "[request query.connector_id]: value has length [0] but it must have a minimum length of [1].",
        ),
        ("/r1?connector_id=a&connector_id=b", "[request query.connector_id]: expected value of type [string] but got"),
    ],
)
async def test_cancellations_that_are_refused(gateway: HttpGateway, path: str, message: str) -> None:
    answer = await gateway.call("DELETE", REQUESTS + path)

    assert answer.status == 400
    assert answer.message.startswith(message)
    assert gateway.installation.log.records(ACTION_CANCELLATIONS) == []


async def test_cancelling_asks_for_execute(gateway: HttpGateway) -> None:
    answer = await gateway.call("DELETE", f"{REQUESTS}/r1", auth=VIEWER)

    assert (answer.status, answer.message) == (403, "Unauthorized to execute actions")


async def test_cancelling_needs_the_header_against_forgery(gateway: HttpGateway) -> None:
    answer = await gateway.call("DELETE", f"{REQUESTS}/r1", headers={})

    assert (answer.status, answer.message) == (400, "Request must contain a kbn-xsrf header.")
