"""Requests as they go out on a connection, and what becomes of connections that are kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from connectory.connector_types.contract import EgressFailed, OutgoingRequest, OutgoingResponse
from connectory.infra.egress import EgressSettings, HttpEgress, open_egress

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Scripted:
    """Answers each request, whatever connection it comes on, with the next of its answers; None closes instead."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = list(answers)
        self.heads: list[str] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
                answer = self.answers.pop(0)
                if answer is None:
                    break
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def calling(*answers: bytes | None) -> AsyncIterator[tuple[Scripted, HttpEgress]]:
    target = Scripted(*answers)
    server = await asyncio.start_server(target.serve, "127.0.0.1", 0)
    async with open_egress(EgressSettings(user_agent="us/1")) as egress, server:
        target.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield target, egress


async def call(target: Scripted, egress: HttpEgress, method: str = "POST", **fields: Any) -> OutgoingResponse:
    return await egress.send(OutgoingRequest(method=method, url=f"{target.url}/a?b=c%20d", **fields))


async def test_a_request_has_the_headers_of_a_client() -> None:
    async with calling(OK) as (target, egress):
        await call(target, egress, body="é", headers={"X-Own": "1"})

    line, *headers = target.heads[0].strip().split("\r\n")
    assert line == "POST /a?b=c%20d HTTP/1.1"
    named = dict(header.split(": ", 1) for header in headers)
    assert named.pop("Accept-Encoding").startswith("gzip, deflate")
    assert named == {
        "Host": target.url.removeprefix("http://"),
        "User-Agent": "us/1",
        "Accept": "*/*",
        "X-Own": "1",
        "Content-Length": "2",
    }


async def test_headers_of_the_request_stand_in_for_those_of_the_client() -> None:
    async with calling(OK) as (target, egress):
        await call(target, egress, headers={"user-agent": "mine", "HOST": "other.test", "accept": "a/b"})

    head = target.heads[0].lower()
    assert [head.count(name) for name in ("user-agent:", "host:", "accept:")] == [1, 1, 1]
    assert "user-agent: mine\r\nhost: other.test\r\naccept: a/b\r\n" in head


@pytest.mark.parametrize(("method", "length"), [("POST", True), ("DELETE", True), ("GET", False), ("HEAD", False)])
async def test_a_request_without_a_body_says_so_where_one_is_expected(method: str, length: bool) -> None:
    answer = OK if method != "HEAD" else b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
    async with calling(answer) as (target, egress):
        await call(target, egress, method)

    assert ("Content-Length: 0" in target.heads[0]) is length


@pytest.mark.parametrize("value", ["a\r\nX: 1", "a\nb", "a\rb", "a\0b", "\ud800"])
async def test_a_header_that_could_speak_for_itself_is_not_sent(value: str) -> None:
    async with calling(OK) as (target, egress):
        with pytest.raises(EgressFailed, match="Invalid character in header content"):
            await call(target, egress, headers={"X-Own": value})

    assert target.heads == []


async def test_an_answer_that_announces_another_is_passed_over() -> None:
    async with calling(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK) as (target, egress):
        response = await call(target, egress)

    assert (response.status, response.body) == (200, b"ok")


async def test_a_kept_connection_that_was_closed_costs_a_request_that_may_be_repeated_nothing() -> None:
    async with calling(OK, None, OK) as (target, egress):
        await call(target, egress, "PUT", body="1")
        response = await call(target, egress, "PUT", body="2")

    assert (response.body, len(target.heads)) == (b"ok", 3)


async def test_a_request_that_may_not_be_repeated_is_not() -> None:
    async with calling(OK, None, OK) as (target, egress):
        await call(target, egress, body="1")
        with pytest.raises(EgressFailed, match="socket hang up") as failed:
            await call(target, egress, body="2")

    assert (failed.value.error_code, failed.value.undelivered, len(target.heads)) == ("ECONNRESET", False, 2)


async def test_what_is_no_http_is_a_failure_that_says_so() -> None:
    async with calling(b"SMTP ready\r\n\r\n") as (target, egress):
        with pytest.raises(EgressFailed, match="Parse Error"):
            await call(target, egress)
