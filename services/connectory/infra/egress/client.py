"""Outgoing HTTP calls: one pooled session, hosts and addresses judged on every hop, time and size bounded."""

import io
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver

from connectory.connector_types.contract import MailConnection, MailServer, OutgoingRequest, OutgoingResponse
from connectory.infra.deadlines import Deadlines
from connectory.infra.egress import failures
from connectory.infra.egress.addresses import AddressGuard
from connectory.infra.egress.dialling import Dialler
from connectory.infra.egress.hops import REDIRECTS, Hop, Redirect, first_hop, redirected
from connectory.infra.egress.hosts import AllowedHosts
from connectory.infra.egress.mail import MailRoutes
from connectory.infra.egress.proxies import Proxy
from connectory.infra.egress.resolver import GuardedResolver
from connectory.infra.egress.settings import EgressSettings
from connectory.infra.egress.targets import Targets
from connectory.infra.egress.tls import pem, tls_context
from connectory.infra.egress.tunnel_connector import TunnelConnector
from connectory.infra.egress.tunnels import Tunnels
from connectory.infra.egress.wire import Wire, WireResponse

KEEP_ALIVE_SECONDS: Final = 4.0
"""Below the 5 s after which common servers close an idle connection.

A POST that meets such a close on its way is not sent again from here, since the target may have seen it: it ends as
`ECONNRESET`, and whoever made the request decides.
"""
MAX_HEADER_BYTES: Final = 65_536
"""Of one response header. An action that was carried out must not count as failed for a long header."""
STREAMED_BODY_BYTES: Final = 1_048_576
"""From this size on a body is written in chunks, so that other calls get their turn in between."""

_UNTYPED: Final = ("Content-Type",)
"""The client must not guess a content type. To tell it so costs time, so it is told only where it would guess."""
_NO_TIMEOUT: Final = aiohttp.ClientTimeout(total=None)
"""The client's own limits cost a timer a call; ours is `Deadlines`."""


@asynccontextmanager
async def open_egress(settings: EgressSettings, names: AbstractResolver | None = None) -> AsyncIterator["HttpEgress"]:
    """Open the one way out; leaving drops every pooled connection. `names` resolves host names."""
    names, hosts = names or aiohttp.ThreadedResolver(), AllowedHosts(settings.allowed_hosts)
    guard = AddressGuard(settings.allowed_addresses, block_private=settings.block_private_addresses)
    dialler = Dialler(names=GuardedResolver(names, guard), guard=guard, hosts=hosts)
    targets = Targets(hosts, guard, settings.proxy, settings.custom_hosts)
    async with AsyncExitStack() as stack:
        direct = await stack.enter_async_context(_session(settings, _directly(dialler.names)))
        way = None
        if settings.proxy is not None:
            way = await stack.enter_async_context(_proxy_way(settings, settings.proxy, dialler))
        yield HttpEgress(direct, way, settings, targets, _mail_routes(settings, targets, dialler, way))


@asynccontextmanager
async def _proxy_way(settings: EgressSettings, proxy: Proxy, direct: Dialler) -> AsyncIterator["_ProxyWay"]:
    """The proxy's own address may be private, but not one of a metadata service."""
    guard = AddressGuard(settings.allowed_addresses)
    dialler = Dialler(names=GuardedResolver(direct.names.unguarded, guard), guard=guard, hosts=direct.hosts)
    tunnels = Tunnels(proxy, dialler)
    async with (
        _session(settings, TunnelConnector(tunnels, keepalive_timeout=KEEP_ALIVE_SECONDS)) as tunnelled,
        _session(settings, _directly(dialler.names)) as forwarding,
    ):
        yield _ProxyWay(tunnels, tunnelled, forwarding)


def _directly(resolver: AbstractResolver) -> aiohttp.BaseConnector:
    return aiohttp.TCPConnector(resolver=resolver, limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS)


def _mail_routes(settings: EgressSettings, targets: Targets, dialler: Dialler, way: "_ProxyWay | None") -> MailRoutes:
    return MailRoutes(
        targets=targets,
        dialler=dialler,
        tunnels=way.tunnels if way else None,
        custom_hosts=settings.custom_hosts,
        verification_mode=settings.verification_mode,
        timeout=settings.response_timeout,
    )


def _session(settings: EgressSettings, connector: aiohttp.BaseConnector) -> aiohttp.ClientSession:
    """No limit on connections: callers bound what is in flight, and a slow target must not hold up the others."""
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": settings.user_agent},
        timeout=_NO_TIMEOUT,
        trust_env=False,
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
    )


@dataclass(frozen=True, slots=True)
class _ProxyWay:
    """The proxy, with a pool of tunnels and one of connections that requests are forwarded on."""

    tunnels: Tunnels
    tunnelled: aiohttp.ClientSession
    forwarding: aiohttp.ClientSession


class HttpEgress:
    """Implements `connectory.connector_types.contract.Egress` with aiohttp."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        way: _ProxyWay | None,
        settings: EgressSettings,
        targets: Targets,
        mail: MailRoutes,
    ) -> None:
        self._session = session
        self._wire = Wire(session, max_header_bytes=MAX_HEADER_BYTES)
        self._way = way
        self._targets = targets
        self._mail = mail
        self._mode = settings.verification_mode
        self._max_redirects = settings.max_redirects
        self._max_bytes = settings.max_response_content_length
        self._timeout_ms = round(settings.response_timeout.total_seconds() * 1000)
        self._deadlines = Deadlines()

    async def send(self, request: OutgoingRequest) -> OutgoingResponse:
        """Send and return any response; raise `EgressFailed` when there is none."""
        hop = first_hop(request, self._targets.first(request.url))
        timeout_ms = max(self._timeout_ms, request.timeout_ms or 0)
        try:
            with self._deadlines.limit(timeout_ms / 1000):
                return await self._followed(hop, request)
        except TimeoutError:
            raise failures.timed_out(timeout_ms) from None

    def connect_mail(self, server: MailServer) -> AbstractAsyncContextManager[MailConnection]:
        """Connect to a mail server; leaving closes the connection. Entering raises `EgressFailed`."""
        return self._mail.connect(server)

    async def _followed(self, hop: Hop, request: OutgoingRequest) -> OutgoingResponse:
        """Go where the answers say, until one says nothing of the kind."""
        answer = await self._exchange(hop, request)
        for _ in range(self._redirects(request)):
            if isinstance(answer, OutgoingResponse):
                return answer
            target = self._targets.redirected(answer.location, hop.target)
            hop = redirected(hop, target, answer.status, request.secret_headers)
            answer = await self._exchange(hop, request)
        if isinstance(answer, OutgoingResponse):
            return answer
        raise failures.too_many_redirects()

    async def _exchange(self, hop: Hop, request: OutgoingRequest) -> OutgoingResponse | Redirect:
        try:
            response: aiohttp.ClientResponse | WireResponse
            if hop.target.route is not None:
                response = await self._by_proxy(hop, request)
            elif hop.body and len(hop.body) >= STREAMED_BODY_BYTES:
                response = await self._streamed(hop, request)
            else:
                response = await self._wire.exchange(hop, self._tls(hop, request))
            return await self._answer(response, follow=request.max_redirects != 0)
        except TimeoutError:  # an OSError too, but one that only `send` can word
            raise
        except (aiohttp.ClientError, OSError) as error:
            raise failures.no_response(error, hop.target) from error
        except ValueError as error:
            raise failures.unsendable() from error

    async def _streamed(self, hop: Hop, request: OutgoingRequest) -> aiohttp.ClientResponse:
        return await self._session.request(
            hop.method,
            hop.target.url,
            headers=hop.headers,
            data=_payload(hop.body),
            skip_auto_headers=None if hop.is_typed else _UNTYPED,
            allow_redirects=False,
            ssl=self._tls(hop, request),
        )

    async def _by_proxy(self, hop: Hop, request: OutgoingRequest) -> aiohttp.ClientResponse:
        assert self._way is not None
        proxy, headers, tls = self._way.tunnels.proxy, hop.headers, self._tls(hop, request)
        forwards = hop.target.route == "forward"
        if forwards:
            self._way.tunnels.dialler.require_permitted(proxy.host)
            headers = {**headers, **proxy.headers}
            tls = tls_context(proxy.verification_mode) if proxy.is_tls else True
        return await (self._way.forwarding if forwards else self._way.tunnelled).request(
            hop.method,
            hop.target.url,
            headers=headers,
            data=_payload(hop.body),
            skip_auto_headers=None if hop.is_typed else _UNTYPED,
            allow_redirects=False,
            ssl=tls,
            proxy=proxy.url if forwards else None,
        )

    def _redirects(self, request: OutgoingRequest) -> int:
        return self._max_redirects if request.max_redirects is None else min(request.max_redirects, self._max_redirects)

    async def _answer(
        self, response: aiohttp.ClientResponse | WireResponse, *, follow: bool
    ) -> OutgoingResponse | Redirect:
        """With `follow` off, an answer that names another place is an answer like any other."""
        try:
            if follow and response.status in REDIRECTS and (location := response.headers.get("Location")):
                response.release()
                return Redirect(response.status, location)
            body = await self._body(response.content)
        except BaseException:
            response.close()
            raise
        response.release()
        return OutgoingResponse(
            status=response.status, reason=response.reason or "", headers=response.headers, body=body
        )

    async def _body(self, content: aiohttp.StreamReader) -> bytes:
        chunks, size = [], 0
        while chunk := await content.readany():
            chunks.append(chunk)
            size += len(chunk)
            if size > self._max_bytes:
                raise failures.too_large(self._max_bytes)
        return b"".join(chunks)

    def _tls(self, hop: Hop, request: OutgoingRequest) -> ssl.SSLContext | bool:
        if not hop.target.is_tls:
            return True
        mode, ca_pem = request.verification_mode, request.ca_pem
        custom = hop.target.custom
        if custom is not None:
            mode = custom.verification_mode or mode
            ca_pem = pem(custom.certificate_authorities) or ca_pem
        return tls_context(mode or self._mode, ca_pem, hop.certificate)


def _payload(body: bytes | None) -> bytes | io.BytesIO | None:
    return io.BytesIO(body) if body and len(body) >= STREAMED_BODY_BYTES else body
