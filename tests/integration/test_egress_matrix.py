"""Every way to a target with every kind of trust, over real sockets: direct and by a proxy, and what TLS checks."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import trustme

from connectory.connector_types.contract import ClientCertificate, EgressFailed, OutgoingRequest
from connectory.infra.egress import EgressSettings, open_egress
from connectory.infra.egress.proxies import Proxy, proxy
from tests.fakes.http_proxy import HttpProxy, http_proxy
from tests.fakes.http_target import http_target
from tests.fakes.resolver import FakeResolver
from tests.fakes.tls import CA_PEM, client_pem, client_pfx, server_tls

CERTIFICATE, KEY = client_pem()
CLIENT = ClientCertificate(certificate=CERTIFICATE, key=KEY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Targets by what they ask of clients, and the proxy with and without a password."""

    plain: str
    strict: str
    open_proxy: HttpProxy
    guarded_proxy: HttpProxy


@pytest.fixture(scope="module")
async def servers() -> AsyncIterator[Servers]:
    async with AsyncExitStack() as stack:
        plain = await stack.enter_async_context(http_target(server_tls("a.test")))
        strict = await stack.enter_async_context(http_target(server_tls("a.test", wants_client=True)))
        open_proxy = await stack.enter_async_context(http_proxy())
        guarded = await stack.enter_async_context(http_proxy())
        guarded.needs = "Basic dTpw"
        yield Servers(plain=plain.url, strict=strict.url, open_proxy=open_proxy, guarded_proxy=guarded)


def made(url: str) -> Proxy | None:
    return proxy(url, headers={}, bypass_hosts=None, only_hosts=None, verification_mode="full", http_targets="connect")


ROUTES: dict[str, Callable[[Servers], Proxy | None]] = {
    "direct": lambda _servers: None,
    "proxy": lambda servers: made(servers.open_proxy.url),
    "proxy with credentials": lambda servers: made(f"http://u:p@{servers.guarded_proxy.address}"),
}


@pytest.fixture(params=list(ROUTES))
async def call(request: pytest.FixtureRequest, servers: Servers) -> Callable[..., Awaitable[int]]:
    """Calls one of the targets under a name; anything else is a field of the request."""
    settings = EgressSettings(user_agent="x", proxy=ROUTES[request.param](servers))

    async def answered(url: str, host: str = "a.test", **fields: Any) -> int:
        async with open_egress(settings, FakeResolver(a_test=[["127.0.0.1"]], b_test=[["127.0.0.1"]])) as egress:
            url = url.replace("127.0.0.1", host)
            return (await egress.send(OutgoingRequest(method="GET", url=url, **fields))).status

    return answered


Call = Callable[..., Awaitable[int]]


@pytest.mark.parametrize(
    ("host", "fields", "trusted"),
    [
        ("a.test", {"verification_mode": "none"}, True),
        ("b.test", {"verification_mode": "none"}, True),
        ("b.test", {"verification_mode": "certificate", "ca_pem": CA_PEM}, True),
        ("a.test", {"verification_mode": "certificate"}, False),
        ("a.test", {"verification_mode": "full", "ca_pem": CA_PEM}, True),
        ("b.test", {"verification_mode": "full", "ca_pem": CA_PEM}, False),
        ("a.test", {"ca_pem": trustme.CA().cert_pem.bytes()}, False),
    ],
)
async def test_what_is_checked_of_a_target(
    call: Call, servers: Servers, host: str, fields: dict[str, Any], trusted: bool
) -> None:
    if trusted:
        assert await call(servers.plain, host, **fields) == 200
    else:
        with pytest.raises(EgressFailed, match=r"certificate|Hostname"):
            await call(servers.plain, host, **fields)


@pytest.mark.parametrize(
    "certificate",
    [
        CLIENT,
        ClientCertificate(certificate=CERTIFICATE, key=KEY, passphrase="not needed"),
        ClientCertificate(**dict(zip(("certificate", "key"), client_pem("secret"), strict=True)), passphrase="secret"),
        ClientCertificate(pfx=client_pfx()),
        ClientCertificate(pfx=client_pfx("secret"), passphrase="secret"),
        ClientCertificate(pfx=client_pfx(), certificate=b"ignored", key=b"ignored"),
    ],
)
async def test_a_client_certificate_opens_a_target_that_wants_one(
    call: Call, servers: Servers, certificate: ClientCertificate
) -> None:
    assert await call(servers.strict, ca_pem=CA_PEM, client_certificate=certificate) == 200


async def test_without_a_client_certificate_such_a_target_is_closed(call: Call, servers: Servers) -> None:
    with pytest.raises(EgressFailed):
        await call(servers.strict, ca_pem=CA_PEM)
