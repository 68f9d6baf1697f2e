"""The gateway among bad clients and absent servers, and how it starts and stops."""

import asyncio
import logging
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectory.connector_types.contract import OutgoingRequest, OutgoingResponse
from connectory.domain.errors import SettingsInvalid, Unavailable
from connectory.gateway import GatewayDependencies, run_gateway
from connectory.gateway.listening import CannotListen
from connectory.infra.settings import HttpSettings, Settings
from tests.http_gateway import (
    CONNECTOR,
    HOOK,
    XSRF,
    HttpGateway,
    dependencies_of,
    http_gateway,
    reading_replies,
    running,
)
from tests.unit.installation import Installation
from tests.waiting import until, until_answer

HEAD = "POST /api/actions/connector HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YWRtaW46cMOkc3N3b3Jk\r\nkbn-xsrf: 1\r\n"
REQUESTS = "/api/connectory/action_requests"


class Broker:
    """Refuses the operations in `away`."""

    def __init__(self) -> None:
        self.away: set[str] = set()

    async def __call__(self, operation: str) -> None:
        if operation in self.away:
            raise Unavailable("The broker cannot be reached.")


@pytest.fixture
async def gateway() -> AsyncIterator[HttpGateway]:
    async with http_gateway(await Installation().create_topics()) as gateway:
        await reading_replies(gateway)
        yield gateway


@asynccontextmanager
async def connected(gateway: HttpGateway) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    port = int(gateway.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def exchange(gateway: HttpGateway, sent: bytes) -> bytes:
    """All that the gateway answers until it closes the connection."""
    async with connected(gateway) as (reader, writer):
        writer.write(sent)
        async with asyncio.timeout(10):
            return await reader.read()


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic s3cret\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X%d: 1\r\n" % n for n in range(500)) + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    ],
)
async def test_malformed_http_is_a_400_and_one_line_in_the_log(
    gateway: HttpGateway, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        answer = await exchange(gateway, sent)

    assert b" 400 " in answer.splitlines()[0]
    assert not any(record.exc_info or record.levelno > logging.INFO for record in caplog.records)
    assert "s3cret" not in caplog.text
    assert (await gateway.get("/api/status")).status == 200


async def test_a_body_that_stops_half_way_is_let_go(gateway: HttpGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectory.gateway.incoming.BODY_SECONDS", 0.2)

    async with connected(gateway) as (reader, writer):
        writer.write(f"{HEAD}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{".encode())
        async with asyncio.timeout(10):
            assert (await reader.readline()).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("sent", [b"", b"GET /api/status HTTP/1.1\r\nHost: x\r\n"])
async def test_a_connection_without_a_whole_head_is_closed(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectory.gateway.listening.IDLE_SECONDS", 0.2)

    async with http_gateway(await Installation().create_topics(), roles=False) as gateway:
        assert await exchange(gateway, sent) == b""


async def test_a_client_that_breaks_off_its_body_leaves_no_error(
    gateway: HttpGateway, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with connected(gateway) as (_, writer):
            writer.write(f"{HEAD}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{".encode())
            await writer.drain()
        await gateway.get("/api/status")

    assert caplog.records == []


@pytest.mark.parametrize("body", [b"zz\r\n", b"1\r\n{zz\r\n"])
async def test_a_broken_chunk_is_a_400(gateway: HttpGateway, body: bytes) -> None:
    head = f"{HEAD}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode()

    answer = await exchange(gateway, head + body)

    assert b" 400 " in answer.splitlines()[0]


async def test_an_announced_body_that_is_too_long_is_not_awaited(gateway: HttpGateway) -> None:
    async with connected(gateway) as (reader, writer):
        writer.write(f"{HEAD}Content-Type: application/json\r\nContent-Length: 99999999\r\n\r\n".encode())
        async with asyncio.timeout(5):
            assert (await reader.readline()).startswith(b"HTTP/1.1 413")


async def test_a_database_that_is_away_makes_queries_503_and_leaves_changes(gateway: HttpGateway) -> None:
    gateway.read_models.away = True

    answers = [await gateway.get(path) for path in (f"{CONNECTOR}/c1", "/api/actions/connectors")]
    answers.append(await gateway.get("/api/connectory/event_log"))

    assert [answer.status for answer in answers] == [503] * 3
    assert answers[0].body["error"] == "Service Unavailable"
    assert (await gateway.create("c1")).status == 200


async def test_before_the_broker_is_reached_changes_are_503_and_queries_go_on() -> None:
    broker = Broker()
    installation = await Installation(before=broker).create_topics()
    broker.away = {"offsets", "tail", "write"}
    async with http_gateway(installation, roles=False) as gateway:
        refused = [
            await gateway.create("c1"),
            await gateway.call("POST", f"{CONNECTOR}/c1/_execute", {"params": {}}),
            await gateway.call("POST", REQUESTS, {"connector_id": "c1", "params": {}}),
        ]

        assert [answer.status for answer in refused] == [503] * 3
        assert (await gateway.get("/api/actions/connectors")).status == 200
        assert (await gateway.get("/api/status")).body["status"]["overall"]["level"] == "degraded"
        gateway.read_models.away = True
        assert (await gateway.get("/api/status", auth=None)).status == 503
        broker.away = set()
        await reading_replies_of_nobody(gateway)


async def reading_replies_of_nobody(gateway: HttpGateway) -> None:
    """Wait until requests are accepted again; nobody carries them out."""
    async with asyncio.timeout(10):
        while (await gateway.call("POST", REQUESTS, {"connector_id": "c1", "params": {}})).status != 202:
            continue


async def test_a_change_without_an_answer_in_time_names_the_command_to_repeat() -> None:
    settings = with_waits(reply_timeout=timedelta(milliseconds=100), projection_wait=timedelta(milliseconds=1))
    installation = await Installation().create_topics()
    async with http_gateway(installation, settings=settings, roles=False) as gateway:
        answer = await unanswered(gateway)
        headers = {**XSRF, "x-connectory-command-id": answer.body["attributes"]["command_id"]}
        async with installation.aggregate():
            repeated = await until_answered(gateway, headers)

    assert (answer.status, answer.body["error"]) == (503, "Service Unavailable")
    assert (repeated.status, list(installation.states())) == (200, [repeated.body["id"]])


async def unanswered(gateway: HttpGateway) -> Any:
    """The answer to a create that was handed in."""
    return await until_answer(lambda: gateway.call("POST", CONNECTOR, HOOK), lambda answer: "attributes" in answer.body)


async def until_answered(gateway: HttpGateway, headers: dict[str, str]) -> Any:
    return await until_answer(
        lambda: gateway.call("POST", CONNECTOR, HOOK, headers=headers), lambda answer: answer.status != 503
    )


async def test_a_change_is_answered_although_the_projector_lags() -> None:
    settings = with_waits(projection_wait=timedelta(milliseconds=1))
    installation = await Installation().create_topics()
    async with http_gateway(installation, settings=settings, roles=False) as gateway, installation.aggregate():
        await reading_replies(gateway)
        answer = await gateway.create("c1")

    assert (answer.status, answer.body["id"]) == (200, "c1")


async def test_stopping_lets_what_is_in_flight_be_answered() -> None:
    let_go, called = asyncio.Event(), asyncio.Event()

    async def slow(request: OutgoingRequest) -> OutgoingResponse:
        called.set()
        await let_go.wait()
        return OutgoingResponse(status=200, reason="OK", headers={}, body=b"")

    installation = await Installation().create_topics()
    installation.target.answer = slow
    async with http_gateway(installation) as gateway:
        await reading_replies(gateway)
        await gateway.create("c1")
        in_flight = asyncio.create_task(gateway.call("POST", f"{CONNECTOR}/c1/_execute", {"params": {"body": "x"}}))
        await called.wait()
        gateway.role.cancel()
        await until(lambda: not accepts(gateway.url))
        let_go.set()

        assert (await in_flight).body["status"] == "ok"


def accepts(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(url.rpartition(":")[2]))) == 0


async def test_a_port_that_is_taken_is_said_in_one_line(gateway: HttpGateway) -> None:
    port = int(gateway.url.rpartition(":")[2])
    dependencies = dependencies_of(gateway.installation, with_http(HttpSettings(port=port)))

    with pytest.raises(CannotListen, match=rf"^Cannot listen on 127\.0\.0\.1 port {port}: .*connectory\.http\.port\.$"):
        await alone(dependencies)


async def test_a_certificate_that_cannot_be_used_is_said_in_one_line(tmp_path: Path) -> None:
    http = HttpSettings(ssl_certificate_file=tmp_path / "none.pem", ssl_key_file=tmp_path / "none.key")
    dependencies = dependencies_of(await Installation().create_topics(), with_http(http))

    with pytest.raises(SettingsInvalid, match=r"none\.pem and its key cannot be used"):
        await alone(dependencies)


async def test_with_a_certificate_the_gateway_speaks_https(tmp_path: Path) -> None:
    http = HttpSettings(ssl_certificate_file=tmp_path / "cert.pem", ssl_key_file=tmp_path / "key.pem")
    make_certificate(tmp_path)
    dependencies = dependencies_of(await Installation().create_topics(), with_http(http))
    async with running(dependencies) as (url, _):
        trusting = ssl.create_default_context(cafile=tmp_path / "cert.pem")
        host, port = url.removeprefix("https://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port), ssl=trusting)
        writer.write(b"GET /api/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()

    assert answer.startswith(b"HTTP/1.1 200")


def with_waits(**waits: timedelta) -> Settings:
    settings = Settings()
    return settings.model_copy(update={"gateway": settings.gateway.model_copy(update=waits)})


def with_http(http: HttpSettings) -> Settings:
    return Settings().model_copy(update={"http": http})


async def alone(dependencies: GatewayDependencies) -> None:
    """Run a gateway that is expected to fail, and raise what it raised."""
    async with asyncio.timeout(10):
        await run_gateway(dependencies, lambda _: None)


def make_certificate(folder: Path) -> None:
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *files]
    subprocess.run(command, check=True, capture_output=True)
