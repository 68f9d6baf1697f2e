"""Outgoing calls over real sockets: what goes out, what comes back, and what happens when nothing does."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from connectory.connector_types.contract import EgressFailed, OutgoingRequest
from connectory.infra.egress import EgressSettings, HttpEgress, open_egress
from tests.fakes.http_target import Answer, HttpTarget, Respond, http_target, raw_target, resets, writes
from tests.fakes.resolver import FakeResolver

LIMIT = 4096
SETTINGS = EgressSettings(user_agent="Connectory/test", max_response_content_length=LIMIT)


@pytest.fixture
async def target() -> AsyncIterator[HttpTarget]:
    async with http_target() as target:
        yield target


@pytest.fixture
async def egress() -> AsyncIterator[HttpEgress]:
    async with open_egress(SETTINGS, FakeResolver(here_test=[["127.0.0.1"]])) as egress:
        yield egress


def post(url: str, **fields: Any) -> OutgoingRequest:
    return OutgoingRequest(method="POST", url=url, **fields)


async def failure(egress: HttpEgress, request: OutgoingRequest) -> EgressFailed:
    with pytest.raises(EgressFailed) as caught:
        await egress.send(request)
    return caught.value


async def test_method_path_headers_and_body_arrive_as_they_were_given(target: HttpTarget, egress: HttpEgress) -> None:
    headers = {"X-One": "1", "Content-Type": "text/x"}

    await egress.send(OutgoingRequest(method="PATCH", url=f"{target.url}/a%20b?c=d", headers=headers, body="é"))

    got = target.last
    assert (got.method, got.path, got.body) == ("PATCH", "/a%20b?c=d", "é".encode())
    assert (got.headers["x-one"], got.headers["content-type"]) == ("1", "text/x")


@pytest.mark.parametrize("body", ["text", b"bytes", "", None])
async def test_nothing_is_said_about_a_body_that_the_request_does_not_say(
    target: HttpTarget, egress: HttpEgress, body: str | bytes | None
) -> None:
    await egress.send(post(target.url, body=body))

    assert "content-type" not in target.last.headers


async def test_the_user_agent_is_ours_unless_the_request_has_one(target: HttpTarget, egress: HttpEgress) -> None:
    await egress.send(post(target.url))
    await egress.send(post(target.url, headers={"user-agent": "mine"}))

    assert [each.headers["user-agent"] for each in target.received] == ["Connectory/test", "mine"]


async def test_a_wrong_length_in_the_headers_does_not_reach_the_wire(target: HttpTarget, egress: HttpEgress) -> None:
    headers = {"Content-Length": "1", "transfer-encoding": "chunked"}

    await egress.send(post(target.url, headers=headers, body="longer"))

    assert (target.last.body, target.last.headers["content-length"]) == (b"longer", "6")
    assert "transfer-encoding" not in target.last.headers


async def test_a_large_body_arrives_whole(target: HttpTarget, egress: HttpEgress) -> None:
    await egress.send(post(target.url, body=b"x" * 3_000_000))

    assert len(target.last.body) == 3_000_000


async def test_credentials_in_a_url_are_sent_as_basic_unless_the_request_has_its_own(
    target: HttpTarget, egress: HttpEgress
) -> None:
    url = target.url.replace("http://", "http://me:p%40ss@")

    await egress.send(post(url))
    await egress.send(post(url, headers={"authorization": "mine"}))

    assert [each.headers["authorization"] for each in target.received] == ["Basic bWU6cEBzcw==", "mine"]


async def test_any_status_is_an_answer(target: HttpTarget, egress: HttpEgress) -> None:
    answer = Answer(status=503, reason="Too Busy", headers={"Retry-After": "7"}, body=b"later")

    response = await egress.send(post(target.answers_with("/x", answer)))

    assert (response.status, response.reason, response.body) == (503, "Too Busy", b"later")
    assert response.headers.get("retry-after") == "7"


async def test_a_compressed_body_comes_back_decompressed(target: HttpTarget, egress: HttpEgress) -> None:
    answer = Answer(headers={"Content-Encoding": "gzip"}, body=gzip.compress(b"plain"))

    response = await egress.send(post(target.answers_with("/x", answer)))

    assert response.body == b"plain"


async def test_cookies_are_not_kept(target: HttpTarget, egress: HttpEgress) -> None:
    url = target.answers_with("/x", Answer(headers={"Set-Cookie": "a=b; Path=/"}))

    await egress.send(post(url))
    await egress.send(post(url))

    assert "cookie" not in target.last.headers


async def test_proxies_of_the_environment_have_no_effect(target: HttpTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    async with open_egress(SETTINGS) as egress:
        response = await egress.send(post(target.url))

    assert response.status == 200


@pytest.mark.parametrize("size", [LIMIT + 1, 1_000_000])
@pytest.mark.parametrize("compressed", [False, True])
async def test_a_response_above_the_limit_is_refused(
    target: HttpTarget, egress: HttpEgress, size: int, compressed: bool
) -> None:
    body = b"x" * size
    answer = Answer(headers={"Content-Encoding": "gzip"}, body=gzip.compress(body)) if compressed else Answer(body=body)

    failed = await failure(egress, post(target.answers_with("/x", answer)))

    assert (failed.message, failed.error_code) == (f"maxContentLength size of {LIMIT} exceeded", "ERR_BAD_RESPONSE")
    assert not failed.retryable


async def test_a_response_at_the_limit_is_not(target: HttpTarget, egress: HttpEgress) -> None:
    response = await egress.send(post(target.answers_with("/x", Answer(body=b"x" * LIMIT))))

    assert len(response.body) == LIMIT


async def test_an_answer_that_does_not_come_ends_the_wait(target: HttpTarget) -> None:
    url = target.answers_with("/x", Answer(hangs=True))

    async with open_egress(EgressSettings(user_agent="x", response_timeout=timedelta(milliseconds=50))) as egress:
        failed = await failure(egress, post(url))

    assert (failed.message, failed.error_code) == ("timeout of 50ms exceeded", "ECONNABORTED")


async def test_a_request_can_only_lengthen_the_wait(target: HttpTarget) -> None:
    url = target.answers_with("/x", Answer(hangs=True))

    async with open_egress(EgressSettings(user_agent="x", response_timeout=timedelta(milliseconds=50))) as egress:
        longer = await failure(egress, post(url, timeout_ms=70))
        shorter = await failure(egress, post(url, timeout_ms=10))

    assert [longer.message, shorter.message] == ["timeout of 70ms exceeded", "timeout of 50ms exceeded"]


async def test_a_body_that_does_not_end_ends_the_wait() -> None:
    async def stall(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        await writer.drain()
        await _reader.read()

    settings = EgressSettings(user_agent="x", response_timeout=timedelta(milliseconds=50))
    async with raw_target(stall) as url, open_egress(settings) as egress:
        failed = await failure(egress, post(url))

    assert failed.error_code == "ECONNABORTED"


@pytest.mark.parametrize(
    ("respond", "message", "code"),
    [
        (writes(b""), "socket hang up", "ECONNRESET"),
        (resets, "read ECONNRESET", "ECONNRESET"),
        (writes(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), "aborted", "ECONNRESET"),
        (writes(b"nonsense\r\n\r\n"), "Parse Error", "HPE_INVALID_CONSTANT"),
        (writes(b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n"), "Parse Error", "HPE_INVALID_CONSTANT"),
    ],
)
async def test_an_answer_that_breaks_off_or_makes_no_sense_is_a_failure(
    egress: HttpEgress, respond: Respond, message: str, code: str
) -> None:
    async with raw_target(respond) as url:
        failed = await failure(egress, post(url, body="x"))

    assert (failed.message.partition(":")[0], failed.error_code, failed.retryable) == (message, code, True)


async def test_a_refused_connection_names_the_place(egress: HttpEgress, unused_tcp_port: int) -> None:
    failed = await failure(egress, post(f"http://127.0.0.1:{unused_tcp_port}/"))

    assert failed.message == f"connect ECONNREFUSED 127.0.0.1:{unused_tcp_port}"
    assert failed.error_code == "ECONNREFUSED"


async def test_a_name_that_does_not_exist_is_named(egress: HttpEgress) -> None:
    failed = await failure(egress, post("http://nowhere.test/"))

    assert (failed.message, failed.error_code) == ("getaddrinfo ENOTFOUND nowhere.test", "ENOTFOUND")


@pytest.mark.parametrize("value", ["a\r\nX-Injected: b", "a\nb", "a\x00b"])
async def test_a_header_that_would_break_out_of_its_line_is_not_sent(
    target: HttpTarget, egress: HttpEgress, value: str
) -> None:
    failed = await failure(egress, post(target.url, headers={"X-One": value}))

    assert (failed.message, failed.error_code) == ("Invalid character in header content", "ERR_INVALID_CHAR")
    assert target.received == []


@pytest.mark.parametrize("url", ["nowhere", "ftp://here.test/", "http://[fe80::1%25eth0]/", "file:///etc/passwd"])
async def test_only_http_and_https_urls_are_called(egress: HttpEgress, url: str) -> None:
    assert not (await failure(egress, post(url))).retryable


async def test_connections_are_used_again(target: HttpTarget, egress: HttpEgress) -> None:
    url = target.url.replace("127.0.0.1", "here.test")

    for _ in range(3):
        await egress.send(post(url, body="x"))

    assert target.connections == 1


async def test_cancellation_passes_and_leaves_the_egress_usable(target: HttpTarget, egress: HttpEgress) -> None:
    call = asyncio.create_task(egress.send(post(target.answers_with("/x", Answer(hangs=True)))))
    async with asyncio.timeout(10):
        await target.arrived.wait()

    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call
    assert (await egress.send(post(target.url))).status == 200
