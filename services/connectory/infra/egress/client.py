"""Outgoing HTTP calls: one pooled session, hosts and addresses judged on every hop, time and size bounded."""

import io
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver

from connectory.connector_types.contract import MailConnection, MailServer, OutgoingRequest, OutgoingResponse
from connectory.infra.deadlines import Deadlines
from connectory.infra.egress import failures
from connectory.infra.egress.addresses import AddressGuard
from connectory.infra.egress.hops import REDIRECTS, Hop, Redirect, first_hop, redirected
from connectory.infra.egress.hosts import AllowedHosts
from connectory.infra.egress.resolver import GuardedResolver
from connectory.infra.egress.settings import EgressSettings
from connectory.infra.egress.targets import Targets
from connectory.infra.egress.tls import tls_context

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
    guard = AddressGuard(settings.allowed_addresses, block_private=settings.block_private_addresses)
    async with _session(settings, GuardedResolver(names or aiohttp.ThreadedResolver(), guard)) as session:
        yield HttpEgress(session, settings, Targets(AllowedHosts(settings.allowed_hosts), guard))


def _session(settings: EgressSettings, resolver: AbstractResolver) -> aiohttp.ClientSession:
    """No limit on connections: callers bound what is in flight, and a slow target must not hold up the others."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=resolver, limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": settings.user_agent},
        timeout=_NO_TIMEOUT,
        trust_env=False,
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
    )


class HttpEgress:
    """Implements `connectory.connector_types.contract.Egress` with aiohttp."""

    def __init__(self, session: aiohttp.ClientSession, settings: EgressSettings, targets: Targets) -> None:
        self._session = session
        self._targets = targets
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
        raise NotImplementedError

    async def _followed(self, hop: Hop, request: OutgoingRequest) -> OutgoingResponse:
        """Go where the answers say, until one says nothing of the kind."""
        answer = await self._exchange(hop, request)
        for _ in range(self._max_redirects):
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
            response = await self._session.request(
                hop.method,
                hop.target.url,
                headers=hop.headers,
                data=_payload(hop.body),
                skip_auto_headers=None if hop.is_typed else _UNTYPED,
                allow_redirects=False,
                ssl=self._tls(hop, request),
            )
            return await self._answer(response)
        except TimeoutError:  # an OSError too, but one that only `send` can word
            raise
        except (aiohttp.ClientError, OSError) as error:
            raise failures.no_response(error, hop.target) from error
        except ValueError as error:
            raise failures.unsendable() from error

    async def _answer(self, response: aiohttp.ClientResponse) -> OutgoingResponse | Redirect:
        try:
            if response.status in REDIRECTS and (location := response.headers.get("Location")):
                response.release()
                return Redirect(response.status, location)
            body = await self._body(response.content)
        except BaseException:
            response.close()
            raise
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
        return tls_context(request.verification_mode or self._mode, request.ca_pem)


def _payload(body: bytes | None) -> bytes | io.BytesIO | None:
    return io.BytesIO(body) if body and len(body) >= STREAMED_BODY_BYTES else body
