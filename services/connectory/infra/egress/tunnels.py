"""Tunnels through a proxy: a `CONNECT`, after which the connection is one to the target (RFC 9110, section 9.3.6)."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from connectory.connector_types.contract import EgressFailed
from connectory.infra.egress import failures
from connectory.infra.egress.dialling import Dialler
from connectory.infra.egress.proxies import Proxy
from connectory.infra.egress.tls import tls_context

LONGEST_ANSWER: Final = 65_536
"""Bytes of the head of the proxy's answer."""


_END: Final = b"\r\n\r\n"


class TunnelRefused(EgressFailed):
    """The proxy did not open the tunnel: nothing has reached the target."""

    @property
    def undelivered(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Tunnel:
    """Nothing more is read until a protocol is set. Whoever takes the tunnel over owns the transport."""

    transport: asyncio.Transport
    handshake: "_Handshake"

    @property
    def early(self) -> bytes:
        """What the target has said already."""
        return self.handshake.early

    def hand_over(self, protocol: asyncio.Protocol) -> None:
        """Let the protocol speak with the target, as if it had connected itself. Raises `TunnelRefused`."""
        if self.transport.is_closing():
            raise _closed()
        self.transport.set_protocol(protocol)
        protocol.connection_made(self.transport)
        if self.early:
            protocol.data_received(self.early)
        self.transport.resume_reading()


@dataclass(frozen=True, slots=True)
class Tunnels:
    """Opens tunnels through one proxy; `dialler` connects to it."""

    proxy: Proxy
    dialler: Dialler

    async def open(self, host: str, port: int) -> Tunnel:
        """Raise `EgressFailed` when the proxy cannot be reached, or refuses."""
        transport, handshake = await self._connected()
        try:
            transport.write(self._request(host, port))
            status, reason = await handshake.answer
        except BaseException:
            transport.abort()
            raise
        if not 200 <= status < 300:
            transport.close()
            raise TunnelRefused(f"proxy refused the tunnel to {host}:{port}: {status} {reason}".rstrip())
        return Tunnel(transport, handshake)

    async def _connected(self) -> tuple[asyncio.Transport, "_Handshake"]:
        proxy = self.proxy
        sock = await self.dialler.connect(proxy.host, proxy.port)
        try:
            return await asyncio.get_running_loop().create_connection(
                _Handshake,
                sock=sock,
                ssl=tls_context(proxy.verification_mode) if proxy.is_tls else None,
                server_hostname=proxy.host.strip("[]") if proxy.is_tls else None,
            )
        except ssl.SSLCertVerificationError as error:
            sock.close()
            raise failures.not_trusted(error) from error
        except OSError as error:
            sock.close()
            raise failures.not_connected(error, proxy.host, proxy.port) from error
        except BaseException:
            sock.close()
            raise

    def _request(self, host: str, port: int) -> bytes:
        """Names and values are free of line breaks: those from the settings are checked there."""
        lines = [f"CONNECT {host}:{port} HTTP/1.1", f"Host: {host}:{port}"]
        lines += [f"{name}: {value}" for name, value in self.proxy.headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


class _Handshake(asyncio.Protocol):
    """Waits for the head of the proxy's answer: its status, its reason and what came after it.

    Then it reads no more: what the target says is for the protocol that takes over.
    """

    def __init__(self) -> None:
        self.answer: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self._received = b""
        self._pause: Callable[[], None] = lambda: None

    @property
    def early(self) -> bytes:
        return self._received.partition(_END)[2]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._pause = cast("asyncio.Transport", transport).pause_reading  # those of uvloop are of no such class

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, _ = self._received.partition(_END)
        if self.answer.done():
            return
        if end:
            self._pause()
            self._answered(head)
        elif len(self._received) > LONGEST_ANSWER:
            self.answer.set_exception(_nonsense())

    def _answered(self, head: bytes) -> None:
        version, _, rest = head.partition(b"\r\n")[0].partition(b" ")
        status, _, reason = rest.partition(b" ")
        if not version.startswith(b"HTTP/1.") or not status.isdigit() or len(status) != 3:
            self.answer.set_exception(_nonsense())
        else:
            self.answer.set_result((int(status), reason.decode("latin-1").strip()))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.answer.done():
            self.answer.set_exception(_closed())


def _closed() -> EgressFailed:
    return TunnelRefused("the proxy closed the connection", "ECONNRESET")


def _nonsense() -> EgressFailed:
    return TunnelRefused("the proxy did not answer CONNECT by HTTP/1.1", "HPE_INVALID_CONSTANT")
