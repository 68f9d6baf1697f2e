"""Access tokens: what the endpoint is asked, and how long an answer is used."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectory.connector_types.contract import (
    AccessTokens,
    EgressFailed,
    MailConnection,
    MailServer,
    OutgoingRequest,
    OutgoingResponse,
)
from connectory.connector_types.oauth import ClientCredentials, TokenRefused, client_credentials, token_request
from connectory.testing.clock import ManualClock
from tests.fakes.egress import FakeEgress, no_mail, responds
from tests.unit.connectors import AT

ASKED = ClientCredentials(token_url="https://id.test/token", client_id="me", client_secret="s&", scope="a b")


def token(seconds: object = 3600, value: str = "t1") -> OutgoingResponse:
    answer: dict[str, Any] = {"token_type": "Bearer", "access_token": value, "expires_in": seconds}
    return responds(200, "OK", json.dumps(answer).encode())


class Endpoint:
    """Answers each call when it is told to."""

    def __init__(self) -> None:
        self.calls: list[asyncio.Future[OutgoingResponse]] = []

    async def send(self, request: OutgoingRequest) -> OutgoingResponse:
        call: asyncio.Future[OutgoingResponse] = asyncio.get_running_loop().create_future()
        self.calls.append(call)
        return await call

    def connect_mail(self, server: MailServer) -> AbstractAsyncContextManager[MailConnection]:
        return no_mail(server)


def asking(tokens: AccessTokens, endpoint: Endpoint | FakeEgress) -> Callable[[], asyncio.Task[str]]:
    return lambda: asyncio.create_task(tokens.header("c1", ASKED, endpoint, lambda: AT))


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_the_endpoint_is_asked_by_a_form() -> None:
    request = token_request(replace(ASKED, additional_fields=(("audience", "x"),)))

    assert request.headers == {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
    assert request.body == "grant_type=client_credentials&scope=a+b&client_id=me&client_secret=s%26&audience=x"


def test_id_and_secret_may_go_as_a_basic_header_instead() -> None:
    request = token_request(replace(ASKED, endpoint_auth="client_secret_basic"))

    assert request.headers["Authorization"] == "Basic bWU6cyUyNg=="
    assert request.body == "grant_type=client_credentials&scope=a+b"


def test_nothing_is_asked_for_when_something_is_missing() -> None:
    assert client_credentials(token_url="https://id.test/", client_id="me", client_secret=None) is None


async def test_a_token_is_used_until_shortly_before_its_end() -> None:
    tokens, endpoint, clock = AccessTokens(), FakeEgress(token(3600)), ManualClock(AT)

    for seconds in (0, 3569, 1):
        clock.advance(timedelta(seconds=seconds))
        assert await tokens.header("c1", ASKED, endpoint, clock) == "Bearer t1"

    assert len(endpoint.requests) == 2


@pytest.mark.parametrize("seconds", [None, 0, "soon", True])
async def test_a_token_without_a_life_is_used_once(seconds: object) -> None:
    tokens, endpoint = AccessTokens(), FakeEgress(token(seconds))

    for _ in range(2):
        await tokens.header("c1", ASKED, endpoint, lambda: AT)

    assert len(endpoint.requests) == 2


async def test_other_credentials_get_another_token() -> None:
    tokens, endpoint = AccessTokens(), FakeEgress(token())

    await tokens.header("c1", ASKED, endpoint, lambda: AT)
    await tokens.header("c1", replace(ASKED, scope="c"), endpoint, lambda: AT)

    assert len(endpoint.requests) == 2


@pytest.mark.parametrize(("status", "fetched"), [(200, 1), (401, 2), (404, 2), (500, 1)])
async def test_a_refused_call_drops_the_token(status: int, fetched: int) -> None:
    tokens, endpoint = AccessTokens(), FakeEgress(token())

    await tokens.header("c1", ASKED, endpoint, lambda: AT)
    tokens.drop_if_refused("c1", status)
    await tokens.header("c1", ASKED, endpoint, lambda: AT)

    assert len(endpoint.requests) == fetched


async def test_of_many_who_ask_at_once_one_fetches() -> None:
    endpoint = Endpoint()
    ask = asking(AccessTokens(), endpoint)

    waiting = [ask() for _ in range(10)]
    await turns()
    endpoint.calls[0].set_result(token())

    assert await asyncio.gather(*waiting) == ["Bearer t1"] * 10
    assert len(endpoint.calls) == 1


async def test_another_one_fetches_when_the_first_is_cancelled() -> None:
    endpoint = Endpoint()
    ask = asking(AccessTokens(), endpoint)

    first, second = ask(), ask()
    await turns()
    first.cancel()
    await turns()
    endpoint.calls[1].set_result(token(value="t2"))

    assert await second == "Bearer t2"


async def test_who_waits_is_told_of_a_failure_too() -> None:
    endpoint = Endpoint()
    ask = asking(AccessTokens(), endpoint)

    waiting = [ask() for _ in range(3)]
    await turns()
    endpoint.calls[0].set_exception(EgressFailed("gone", "ECONNRESET"))

    told = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(each) for each in told] == ["gone"] * 3


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (responds(400, "", b'{"error":"invalid_client","a":[1, 2]}'), '{"a":[1,2],"error":"invalid_client"}'),
        (responds(502, "", b"bad"), '"bad"'),
        (responds(200, "", b"{}"), "the token endpoint answered 200 without token_type and access_token"),
    ],
)
async def test_an_endpoint_that_gives_no_token_is_quoted(answer: OutgoingResponse, text: str) -> None:
    with pytest.raises(TokenRefused) as caught:
        await AccessTokens().header("c1", ASKED, FakeEgress(answer), lambda: AT)

    assert caught.value.message == text
