"""One HTTP/1.1 request over a pooled connection: a call of the client's, without what its session does besides.

A session looks for each call at cookies, redirects, proxies, encodings, kinds of body and traces, which takes more time
than the call itself; here all that is known beforehand. Connecting, the pool, TLS and the parser stay the library's.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ssl import SSLContext
from typing import Final

import aiohttp
import yarl
from aiohttp import hdrs
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import RawResponseMessage

from connectory.infra.egress.hops import Hop

REMEMBERED_PEERS: Final = 1024

_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""RFC 9110, section 9.2.2."""
_BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods of requests that say nothing of a body when they have none."""
_NO_TIMEOUT: Final = aiohttp.ClientTimeout(total=None)
_SWITCHING_PROTOCOLS: Final = 101


@dataclass(frozen=True, slots=True)
class WireResponse:
    """The head of an answer, with its body still to be read. Whoever has read it releases it, or else closes it."""

    status: int
    reason: str | None
    headers: Mapping[str, str]
    content: aiohttp.StreamReader
    release: Callable[[], None]
    close: Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Peer:
    """How the library is asked to connect to a server, and the headers that it gets unless others are given."""

    request: aiohttp.ClientRequest
    lines: tuple[tuple[str, str], ...]


class Wire:
    """Sends over the connections of a session, which stays their owner."""

    def __init__(self, session: aiohttp.ClientSession, *, max_header_bytes: int) -> None:
        self._session = session
        self._max_header_bytes = max_header_bytes
        self._peer = lru_cache(REMEMBERED_PEERS)(self._make_peer)

    async def exchange(self, hop: Hop, tls: SSLContext | bool) -> WireResponse:
        """Send, and return the head of the answer. Raises what the session of the library raises.

        A kept connection may have been closed meanwhile; where a repetition does no harm, the request is repeated once.
        """
        try:
            return await self._send(hop, tls)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
            if hop.method not in _IDEMPOTENT:
                raise
        return await self._send(hop, tls)

    async def _send(self, hop: Hop, tls: SSLContext | bool) -> WireResponse:
        peer = self._peer(hop.target.origin, tls)
        head = head_of(hop, peer.lines)
        connector = self._session.connector
        if connector is None:
            raise aiohttp.ClientConnectionError("the way out is closed")
        connection = await connector.connect(peer.request, [], _NO_TIMEOUT)
        try:
            return await self._exchanged(connection, head, hop, peer)
        except BaseException:
            connection.close()
            raise

    async def _exchanged(self, connection: Connection, head: bytes, hop: Hop, peer: _Peer) -> WireResponse:
        protocol, transport = connection.protocol, connection.transport
        if protocol is None or transport is None:
            raise aiohttp.ServerDisconnectedError
        protocol.set_response_params(
            skip_payload=hop.method == hdrs.METH_HEAD,
            read_until_eof=True,
            max_line_size=self._max_header_bytes,
            max_field_size=self._max_header_bytes,
        )
        transport.write(head + hop.body if hop.body else head)
        message, content = await _answer(protocol, peer)
        return WireResponse(
            message.code, message.reason, message.headers, content, connection.release, connection.close
        )

    def _make_peer(self, origin: tuple[bool, str, str], tls: SSLContext | bool) -> _Peer:
        is_tls, host, port = origin
        url = yarl.URL(f"{'https' if is_tls else 'http'}://{host}:{port}/", encoded=True)
        request = aiohttp.ClientRequest(
            hdrs.METH_GET,
            url,
            headers=self._session.headers,
            loop=asyncio.get_running_loop(),
            session=self._session,
            ssl=tls,
        )
        return _Peer(request, tuple((name.lower(), f"{name}: {value}") for name, value in request.headers.items()))


def head_of(hop: Hop, lines: Iterable[tuple[str, str]]) -> bytes:
    """The head of a request; `lines` are headers by their lower-case names, for when the hop has none of that name.

    Raises ValueError for what cannot stand in a head.
    """
    given = {name.lower() for name in hop.headers}
    head = [f"{hop.method} {hop.target.url.raw_path_qs} HTTP/1.1"]
    head += [line for name, line in lines if name not in given]
    head += [f"{name}: {value}" for name, value in hop.headers.items()]
    if hop.body or hop.method not in _BODILESS:
        head.append(f"Content-Length: {len(hop.body or b'')}")
    text = "\r\n".join((*head, "", ""))
    if not text.count("\r") == text.count("\n") == len(head) + 1 or "\0" in text:
        raise ValueError("a header holds a line break or U+0000")
    return text.encode()


async def _answer(protocol: ResponseHandler, peer: _Peer) -> tuple[RawResponseMessage, aiohttp.StreamReader]:
    """The final one: others may come before it."""
    while True:
        try:
            message, content = await protocol.read()
        except HttpProcessingError as error:
            raise aiohttp.ClientResponseError(
                peer.request.request_info, (), status=error.code, message=error.message, headers=error.headers
            ) from error
        if message.code >= 200 or message.code == _SWITCHING_PROTOCOLS:
            return message, content
