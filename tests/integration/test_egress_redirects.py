"""Redirects over real sockets: what is kept, what is dropped, where they end."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from connectory.connector_types.contract import EgressFailed, EgressRefused, OutgoingRequest
from connectory.infra.egress import EgressSettings, HttpEgress, open_egress
from tests.fakes.http_target import Answer, HttpTarget, http_target
from tests.fakes.resolver import FakeResolver

NAMES = {"a_test": [["127.0.0.1"]], "b_test": [["127.0.0.1"]]}
HEADERS = {
    "Authorization": "Basic x",
    "Cookie": "c",
    "X-Secret": "s",
    "Host": "virtual.test",
    "Content-Type": "text/x",
    "X-Open": "o",
}


@pytest.fixture
async def target() -> AsyncIterator[HttpTarget]:
    async with http_target() as target:
        target.url = target.url.replace("127.0.0.1", "a.test")
        yield target


@pytest.fixture
async def egress() -> AsyncIterator[HttpEgress]:
    async with open_egress(EgressSettings(user_agent="x"), FakeResolver(**NAMES)) as egress:
        yield egress


def post(url: str) -> OutgoingRequest:
    return OutgoingRequest(
        method="POST", url=url, headers=HEADERS, secret_headers=frozenset({"x-secret"}), body="content"
    )


def redirects(target: HttpTarget, location: str, status: int = 307) -> str:
    return target.answers_with("/from", Answer(status=status, headers={"Location": location}))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_method_and_body_are_kept(target: HttpTarget, egress: HttpEgress, status: int) -> None:
    response = await egress.send(post(redirects(target, "/to?x=1", status)))

    got = target.last
    assert (response.status, got.method, got.path, got.body) == (200, "POST", "/to?x=1", b"content")
    assert got.headers["content-type"] == "text/x"


async def test_see_other_becomes_a_get_without_a_body(target: HttpTarget, egress: HttpEgress) -> None:
    await egress.send(post(redirects(target, "/to", 303)))

    got = target.last
    assert (got.method, got.path, got.body) == ("GET", "/to", b"")
    assert "content-type" not in got.headers


async def test_the_same_origin_sees_all_headers(target: HttpTarget, egress: HttpEgress) -> None:
    await egress.send(post(redirects(target, f"{target.url}/to")))

    assert {name.lower(): value for name, value in HEADERS.items()}.items() <= target.last.headers.items()


@pytest.mark.parametrize("status", [302, 303])
async def test_another_origin_sees_no_credentials(target: HttpTarget, egress: HttpEgress, status: int) -> None:
    elsewhere = target.url.replace("a.test", "b.test")

    await egress.send(post(redirects(target, f"{elsewhere}/to", status)))

    got = target.last.headers
    assert {"authorization", "cookie", "x-secret"}.isdisjoint(got)
    assert (got["x-open"], got["host"]) == ("o", elsewhere.removeprefix("http://"))


async def test_credentials_stay_dropped_on_the_way_back(target: HttpTarget, egress: HttpEgress) -> None:
    elsewhere = target.url.replace("a.test", "b.test")
    target.answers_with("/there", Answer(status=307, headers={"Location": f"{target.url}/back"}))

    await egress.send(post(redirects(target, f"{elsewhere}/there")))

    assert target.last.path == "/back"
    assert "authorization" not in target.last.headers


async def test_credentials_in_a_location_are_not_used(target: HttpTarget, egress: HttpEgress) -> None:
    elsewhere = target.url.replace("a.test", "me:pass@b.test")

    await egress.send(post(redirects(target, f"{elsewhere}/to")))

    assert "authorization" not in target.last.headers


async def test_a_redirect_status_without_a_location_is_an_answer(target: HttpTarget, egress: HttpEgress) -> None:
    response = await egress.send(post(target.answers_with("/from", Answer(status=302, body=b"here"))))

    assert (response.status, response.body) == (302, b"here")


async def test_redirects_end_at_the_maximum(target: HttpTarget, egress: HttpEgress) -> None:
    with pytest.raises(EgressFailed, match=r"^Maximum number of redirects exceeded$"):
        await egress.send(post(redirects(target, "/from")))

    assert len(target.received) == 22


@pytest.mark.parametrize("location", ["http://", "http://[::1", "http://[fe80::1%25eth0]/"])
async def test_a_location_without_a_usable_host_is_refused(
    target: HttpTarget, egress: HttpEgress, location: str
) -> None:
    with pytest.raises(EgressRefused, match=r"^redirect hostname not provided by axios$"):
        await egress.send(post(redirects(target, location)))


@pytest.mark.parametrize("location", ["ftp://a.test/", "file:///etc/passwd", "javascript:alert(1)"])
async def test_only_http_is_followed(target: HttpTarget, egress: HttpEgress, location: str) -> None:
    with pytest.raises(EgressFailed, match="Unsupported protocol"):
        await egress.send(post(redirects(target, location)))


async def test_every_hop_must_be_an_allowed_host(target: HttpTarget) -> None:
    elsewhere = target.url.replace("a.test", "b.test")
    settings = EgressSettings(user_agent="x", allowed_hosts=("a.test",))

    async with open_egress(settings, FakeResolver(**NAMES)) as egress:
        with pytest.raises(EgressRefused) as caught:
            await egress.send(post(redirects(target, elsewhere)))

    assert caught.value.message == (
        'target hostname "b.test" is not added to the Kibana config xpack.actions.allowedHosts'
    )


async def test_all_hops_share_one_time_limit(target: HttpTarget) -> None:
    target.answers_with("/slow", Answer(hangs=True))
    settings = EgressSettings(user_agent="x", response_timeout=timedelta(milliseconds=50))

    async with open_egress(settings, FakeResolver(**NAMES)) as egress:
        with pytest.raises(EgressFailed, match=r"^timeout of 50ms exceeded$"):
            await egress.send(post(redirects(target, "/slow")))
