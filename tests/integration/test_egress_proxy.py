"""Calls through a proxy, over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any, Literal

import pytest
import uvloop

from connectory.connector_types.contract import EgressFailed, EgressRefused, MailServer, OutgoingRequest
from connectory.infra.egress import EgressSettings, HttpEgress, open_egress
from connectory.infra.egress.proxies import Proxy, proxy
from tests.fakes.http_proxy import HttpProxy, http_proxy
from tests.fakes.http_target import Answer, HttpTarget, http_target, raw_target, stays_silent
from tests.fakes.resolver import FakeResolver
from tests.fakes.tls import CA_PEM, server_tls


@pytest.fixture
async def between() -> AsyncIterator[HttpProxy]:
    async with http_proxy() as between:
        yield between


@pytest.fixture
async def target() -> AsyncIterator[HttpTarget]:
    async with http_target() as target:
        target.url = target.url.replace("127.0.0.1", "a.test")
        yield target


@pytest.fixture
async def tls_target() -> AsyncIterator[HttpTarget]:
    async with http_target(server_tls("a.test")) as target:
        target.url = target.url.replace("127.0.0.1", "a.test")
        yield target


def through(url: str, http_targets: Literal["connect", "forward"] = "connect", **fields: Any) -> EgressSettings:
    settings = {name: fields.pop(name) for name in ("block_private_addresses", "allowed_addresses") if name in fields}
    given = {"headers": {}, "bypass_hosts": None, "only_hosts": None, "verification_mode": "full", **fields}
    return EgressSettings(user_agent="x", proxy=proxy(url, http_targets=http_targets, **given), **settings)


async def call(settings: EgressSettings, url: str, **fields: Any) -> int:
    async with open_egress(settings, FakeResolver(a_test=[["127.0.0.1"]], proxy_test=[["127.0.0.1"]])) as egress:
        return await status(egress, url, **fields)


async def status(egress: HttpEgress, url: str, **fields: Any) -> int:
    return (await egress.send(OutgoingRequest(method="POST", url=url, body="x", **fields))).status


async def failure(settings: EgressSettings, url: str, **fields: Any) -> EgressFailed:
    with pytest.raises(EgressFailed) as caught:
        await call(settings, url, **fields)
    return caught.value


async def test_http_targets_are_reached_through_a_tunnel(between: HttpProxy, target: HttpTarget) -> None:
    assert await call(through(between.url, headers={"X-Via": "us"}), target.url) == 200

    (asked,) = between.asked
    assert (asked.method, asked.target, asked.headers["x-via"]) == ("CONNECT", target.url.removeprefix("http://"), "us")
    assert "x-via" not in target.last.headers


async def test_https_targets_are_checked_at_the_end_of_the_tunnel(between: HttpProxy, tls_target: HttpTarget) -> None:
    assert await call(through(between.url), tls_target.url, ca_pem=CA_PEM) == 200
    assert (await failure(through(between.url), tls_target.url)).error_code is not None
    assert {asked.method for asked in between.asked} == {"CONNECT"}


async def test_http_targets_are_forwarded_where_the_operator_says_so(between: HttpProxy, target: HttpTarget) -> None:
    settings = through(between.url.replace("//", "//u:p@"), "forward", headers={"X-Via": "us"})

    assert await call(settings, f"{target.url}/hook?a=b") == 200

    (asked,) = between.asked
    assert (asked.method, asked.target) == ("POST", f"{target.url}/hook?a=b")
    assert (asked.headers["x-via"], asked.headers["proxy-authorization"]) == ("us", "Basic dTpw")
    assert target.last.path == "/hook?a=b"


async def test_https_targets_keep_the_tunnel_when_others_are_forwarded(
    between: HttpProxy, tls_target: HttpTarget
) -> None:
    assert await call(through(between.url, "forward"), tls_target.url, ca_pem=CA_PEM) == 200
    assert between.asked[0].method == "CONNECT"


async def test_a_tunnel_is_used_again(between: HttpProxy, target: HttpTarget) -> None:
    async with open_egress(through(between.url), FakeResolver()) as egress:
        for _ in range(3):
            await status(egress, target.url)

    assert (len(between.asked), len(target.received)) == (1, 3)


@pytest.mark.parametrize(
    ("user", "headers", "sent"),
    [
        ("u:p%40@", {}, "Basic dTpwQA=="),
        ("u:p@", {"proxy-authorization": "Bearer t"}, "Bearer t"),
    ],
)
async def test_credentials_reach_the_proxy_and_not_the_target(
    between: HttpProxy, target: HttpTarget, user: str, headers: dict[str, str], sent: str
) -> None:
    between.needs = sent

    assert await call(through(between.url.replace("//", f"//{user}"), headers=headers), target.url) == 200
    assert "proxy-authorization" not in target.last.headers


async def test_a_refused_tunnel_is_named_and_nothing_was_delivered(between: HttpProxy, target: HttpTarget) -> None:
    between.needs = "Basic eDp5"

    refused = await failure(through(between.url), target.url)

    authority = target.url.removeprefix("http://")
    assert refused.message == f"proxy refused the tunnel to {authority}: 407 Proxy Authentication Required"
    assert (refused.undelivered, target.received) == (True, [])


@pytest.mark.parametrize("answer", [b"SSH-2.0\r\n\r\n", b"", b"x" * 70_000])
async def test_what_is_no_proxy_is_a_failure(between: HttpProxy, target: HttpTarget, answer: bytes) -> None:
    between.refuses = answer

    assert (await failure(through(between.url), target.url)).undelivered


@pytest.mark.parametrize("cuts", [[1], [12, 13], [38], [39], [40], [45], list(range(1, 46))])
async def test_what_a_target_says_first_arrives_however_the_answer_is_cut(cuts: list[int]) -> None:
    said = b"HTTP/1.1 200 Connected\r\nX-A: 1234567\r\n\r\n220 hi\r\n"

    async def in_pieces(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for start, end in pairwise([0, *cuts, len(said)]):
            writer.write(said[start:end])
            await writer.drain()
            await asyncio.sleep(0)

    async with (
        raw_target(in_pieces) as url,
        open_egress(through(url)) as egress,
        egress.connect_mail(MailServer(host="a.test", port=25)) as connection,
    ):
        reader, writer = await asyncio.open_connection(sock=connection.sock)
        assert await reader.read() == b"220 hi\r\n"
        writer.close()


async def test_a_proxy_that_does_not_answer_is_not_waited_for_without_end(target: HttpTarget) -> None:
    async with raw_target(stays_silent) as url:
        settings = replace(through(url), response_timeout=timedelta(milliseconds=50))
        late = await failure(settings, target.url)

    assert (late.message, late.error_code) == ("timeout of 50ms exceeded", "ECONNABORTED")


@pytest.mark.parametrize("http_targets", ["connect", "forward"])
async def test_a_proxy_that_is_not_there_is_named(
    unused_tcp_port: int, http_targets: Literal["connect", "forward"]
) -> None:
    gone = await failure(through(f"http://127.0.0.1:{unused_tcp_port}", http_targets), "http://a.test/")

    assert (gone.error_code, gone.message) == ("ECONNREFUSED", f"connect ECONNREFUSED 127.0.0.1:{unused_tcp_port}")


@pytest.mark.parametrize(
    ("lists", "tunnelled"),
    [
        ({"bypass_hosts": ["A.test"]}, False),
        ({"bypass_hosts": ["test", "b.test"]}, True),
        ({"only_hosts": ["a.test"]}, True),
        ({"only_hosts": ["b.test"]}, False),
        ({"bypass_hosts": ["b.test"], "only_hosts": ["b.test"]}, True),
    ],
)
async def test_lists_say_which_hosts_use_the_proxy(
    between: HttpProxy, target: HttpTarget, lists: dict[str, Any], tunnelled: bool
) -> None:
    assert await call(through(between.url, **lists), target.url) == 200
    assert bool(between.asked) is tunnelled


async def test_the_proxy_is_chosen_anew_for_each_hop(between: HttpProxy, target: HttpTarget) -> None:
    port = target.url.rpartition(":")[2]
    url = target.answers_with("/a", Answer(status=307, headers={"Location": f"http://b.test:{port}/b"}))

    assert await call(through(between.url, only_hosts=["b.test"]), url) == 200
    assert [asked.target for asked in between.asked] == [f"b.test:{port}"]


async def test_an_https_proxy_is_checked_by_a_mode_of_its_own(target: HttpTarget) -> None:
    async with http_proxy(server_tls("127.0.0.1")) as between:
        assert await call(through(between.url, verification_mode="none"), target.url) == 200
        untrusted = await failure(through(between.url, verification_mode="full"), target.url)

    assert untrusted.error_code in ("UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "SELF_SIGNED_CERT_IN_CHAIN")


@pytest.mark.parametrize("http_targets", ["connect", "forward"])
async def test_tls_goes_through_tls(
    target: HttpTarget, tls_target: HttpTarget, http_targets: Literal["connect", "forward"]
) -> None:
    async with http_proxy(server_tls("127.0.0.1")) as between:
        settings = through(between.url, http_targets, verification_mode="none")
        assert await call(settings, tls_target.url, ca_pem=CA_PEM) == 200
        assert await call(settings, target.url) == 200


async def test_proxies_in_the_environment_have_no_effect(
    between: HttpProxy, target: HttpTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, between.url)

    assert await call(EgressSettings(user_agent="x"), target.url) == 200
    assert between.asked == []


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "2852039166", "[::ffff:169.254.169.254]", "metadata.google.internal", "metadata.goog."]
)
@pytest.mark.parametrize("http_targets", ["connect", "forward"])
async def test_metadata_services_are_refused_before_the_proxy_is_asked(
    between: HttpProxy, host: str, http_targets: Literal["connect", "forward"]
) -> None:
    refused = await failure(through(between.url, http_targets, allowed_addresses=("10.0.0.0/8",)), f"http://{host}/")

    assert isinstance(refused, EgressRefused)
    assert "is a cloud metadata address" in refused.message
    assert between.asked == []


async def test_the_proxy_may_be_private_where_targets_may_not(between: HttpProxy, target: HttpTarget) -> None:
    closed = through(between.url.replace("127.0.0.1", "proxy.test"), block_private_addresses=True)

    assert await call(closed, target.url) == 200
    assert "is not public" in (await failure(closed, "http://127.0.0.1:9/")).message


@pytest.mark.parametrize("http_targets", ["connect", "forward"])
async def test_the_proxy_may_not_be_a_metadata_service(http_targets: Literal["connect", "forward"]) -> None:
    refused = await failure(through("http://169.254.169.254:80", http_targets), "http://a.test/")

    assert "is a cloud metadata address" in refused.message


def test_the_event_loop_of_the_program_goes_the_same_ways() -> None:
    async def every_way() -> list[int]:
        async with http_target() as plain, http_target(server_tls("a.test")) as secure, http_proxy() as between:
            urls = [each.url.replace("127.0.0.1", "a.test") for each in (plain, secure)]
            return [
                await call(through(between.url, way), url, ca_pem=CA_PEM)
                for way in ("connect", "forward")
                for url in urls
            ]

    assert uvloop.run(every_way()) == [200] * 4


@pytest.mark.parametrize("url", ["ftp://proxy.test", "nonsense", "http://"])
def test_a_url_that_is_no_proxy_is_ignored(url: str, caplog: pytest.LogCaptureFixture) -> None:
    assert through(url).proxy is None
    assert caplog.messages == [f'invalid proxy URL "{url}" ignored']


def test_no_repr_shows_the_credentials_of_the_proxy() -> None:
    made = through("http://u:sentinel@proxy.test", headers={"X-Key": "sentinel"}).proxy

    assert isinstance(made, Proxy)
    assert "sentinel" not in f"{made!r} {made.url}"


def test_a_header_of_more_than_one_line_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    made = through("http://proxy.test", headers={"X-A": "1\r\nX-B: 2", "X-C": "3"}).proxy

    assert made is not None
    assert made.headers == {"X-C": "3"}
    assert caplog.messages == ['header "X-A" of xpack.actions.proxyHeaders ignored: it has control characters']
