"""Connections of clients: how many, how slow, how many requests on one, and what is said to those that are none."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest

from connectory.infra.settings import HttpSettings, ServerSettings, Settings
from tests.http_gateway import HttpGateway, basic, http_gateway
from tests.unit.installation import Installation
from tests.waiting import until_answer

REQUEST = "GET /api/actions/connector_types HTTP/1.1\r\nHost: x\r\n\r\n"
POST = "POST /api/actions/connector HTTP/1.1\r\nHost: x\r\nkbn-xsrf: 1\r\nContent-Type: application/json\r\n"


@asynccontextmanager
async def edge(**http: int) -> AsyncIterator[HttpGateway]:
    server = ServerSettings().model_copy(update={"name": "gate", "max_payload": 1000})
    settings = Settings().model_copy(update={"server": server, "http": HttpSettings().model_copy(update=http)})
    async with http_gateway(await Installation().create_topics(), settings=settings, roles=False) as gateway:
        yield gateway


@asynccontextmanager
async def connected(gateway: HttpGateway) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rpartition(":")[2]))
    try:
        yield reader, writer
    finally:
        writer.close()


async def told(reader: asyncio.StreamReader) -> bytes:
    """All until the connection is closed."""
    async with asyncio.timeout(10):
        return await reader.read()


async def told_until_reset(reader: asyncio.StreamReader) -> bytes:
    """Likewise. The system makes a reset of the end where the server has left something unread."""
    said = b""
    async with asyncio.timeout(10):
        with suppress(ConnectionResetError):
            while more := await reader.read(1000):
                said += more
    return said


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic s3cret\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
    ],
)
async def test_what_is_no_http_gets_the_error_body(sent: bytes) -> None:
    async with edge() as gateway, connected(gateway) as (reader, writer):
        writer.write(sent)
        head, _, body = (await told(reader)).partition(b"\r\n\r\n")

    text = "The request is not valid HTTP"
    assert json.loads(body) == {"statusCode": 400, "error": "Bad Request", "message": text}
    assert b"application/json; charset=utf-8" in head
    assert b"kbn-name: gate" in head


async def test_what_has_no_path_is_not_found_like_everything_else() -> None:
    async with edge() as gateway, connected(gateway) as (reader, writer):
        writer.write(b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = await told(reader)

    assert b'{"statusCode":404,"error":"Not Found","message":"Not Found"}' in answer
    assert b"kbn-name: gate" in answer


async def test_connections_beyond_the_limit_are_told_so_and_those_within_go_on() -> None:
    async with edge(max_connections=3) as gateway, AsyncExitStack() as stack:
        await gateway.get("/api/status")
        kept = [await stack.enter_async_context(connected(gateway)) for _ in range(2)]  # the client of the test is one
        reader, _ = await stack.enter_async_context(connected(gateway))
        refused = await told(reader)
        for reader, writer in kept:
            writer.write(REQUEST.encode())
            assert (await reader.readline()).startswith(b"HTTP/1.1 401")

    assert refused.startswith(b"HTTP/1.1 503 Service Unavailable")
    assert b"There are too many connections at the moment. Try again later." in refused
    assert b"kbn-name: gate" in refused


async def test_there_is_room_again_when_somebody_leaves() -> None:
    async with edge(max_connections=2) as gateway:
        await gateway.get("/api/status")  # the client of the test stays
        async with connected(gateway), connected(gateway) as (reader, _):
            refused = await told(reader)

        assert refused.startswith(b"HTTP/1.1 503")
        await until_answer(lambda: status_on_a_new_one(gateway), lambda answer: answer.startswith(b"HTTP/1.1 200"))


async def status_on_a_new_one(gateway: HttpGateway) -> bytes:
    async with connected(gateway) as (reader, writer):
        writer.write(b"GET /api/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return await told_until_reset(reader)


async def test_requests_sent_at_once_on_a_connection_are_answered_in_their_order() -> None:
    async with edge() as gateway, connected(gateway) as (reader, writer):
        paths = ["/api/status", "/api/actions/connector_types", "/nowhere"]
        last = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        writer.write("".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n" for path in paths).encode() + last.encode())
        answer = await told(reader)

    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"401", b"404", b"404"]


async def test_a_client_that_sends_its_head_byte_by_byte_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectory.gateway.listening.IDLE_SECONDS", 0.3)
    async with edge() as gateway, connected(gateway) as (reader, writer):
        writer.write(b"GET /api/status HTTP/1.1\r\nX: ")
        sending = asyncio.create_task(trickle(writer))
        answer = await told_until_reset(reader)
        sending.cancel()

    assert answer == b""


async def test_a_client_that_sends_its_body_byte_by_byte_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectory.gateway.incoming.BODY_SECONDS", 0.3)
    async with edge() as gateway, connected(gateway) as (reader, writer):
        login = f"Authorization: {basic('admin', 'pässword')}\r\n"
        writer.write(f"{POST}{login}Content-Length: 900\r\n\r\n".encode())
        sending = asyncio.create_task(trickle(writer))
        async with asyncio.timeout(10):
            answer = await reader.readline()
        sending.cancel()

    assert answer.startswith(b"HTTP/1.1 408")


async def trickle(writer: asyncio.StreamWriter) -> None:
    for _ in range(1000):
        writer.write(b"a")
        await asyncio.sleep(0.02)


async def test_a_client_that_waits_to_be_asked_for_its_body_is_asked() -> None:
    async with edge() as gateway, connected(gateway) as (reader, writer):
        writer.write(f"{POST}Expect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n".encode())
        async with asyncio.timeout(10):
            assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
        writer.write(b"{}")

        assert b"HTTP/1.1 401" in await told(reader)


async def test_a_body_that_is_too_long_is_not_asked_for() -> None:
    async with edge() as gateway, connected(gateway) as (reader, writer):
        login = f"Authorization: {basic('admin', 'pässword')}\r\n"
        writer.write(f"{POST}{login}Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n".encode())
        async with asyncio.timeout(10):
            assert (await reader.readline()).startswith(b"HTTP/1.1 413")


async def test_a_flood_without_credentials_is_answered_and_leaves_others_alone() -> None:
    async with edge() as gateway:

        async def flood() -> list[int]:
            return [(await gateway.get("/api/actions/connectors", auth=None)).status for _ in range(20)]

        answers = await asyncio.gather(*(flood() for _ in range(20)))

        assert {status for each in answers for status in each} == {401}
        assert (await gateway.get("/api/actions/connectors")).status == 200
