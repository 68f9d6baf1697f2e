"""The way to mail servers: judged, dialled and tunnelled like any call, and handed over as a connected socket."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from connectory.connector_types.contract import (
    EgressFailed,
    EgressRefused,
    MailConnection,
    MailServer,
    VerificationMode,
)
from connectory.infra.egress import failures
from connectory.infra.egress.dialling import Dialler
from connectory.infra.egress.hosts import host_of_entry
from connectory.infra.egress.targets import Targets
from connectory.infra.egress.tls import pem, tls_context
from connectory.infra.egress.tunnels import Tunnel, Tunnels
from connectory.infra.settings.custom_hosts import CustomHost, canonical_url

T = TypeVar("T")

CHUNK = 65_536
PLAIN = CustomHost(url="")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRoutes:
    """`dialler` is for servers that are called directly; `tunnels` None: there is no proxy.

    `timeout` is for a whole call: connecting, and what is said then.
    """

    targets: Targets
    dialler: Dialler
    tunnels: Tunnels | None
    custom_hosts: Mapping[str, CustomHost]
    verification_mode: VerificationMode
    timeout: timedelta

    @asynccontextmanager
    async def connect(self, server: MailServer) -> AsyncIterator[MailConnection]:
        """Entering raises `EgressFailed`."""
        deadline = asyncio.get_running_loop().time() + self.timeout.total_seconds()
        host = self._judged(server.host)
        custom = self.custom_hosts.get(canonical_url("smtp:", host, str(server.port)), PLAIN)
        mode = custom.verification_mode or ("none" if server.unchecked else self.verification_mode)
        tls = tls_context(mode, pem(custom.certificate_authorities))
        async with self._socket(host, server.port, deadline) as sock:
            yield MailConnection(
                sock=sock,
                tls=tls,
                deadline=deadline,
                overdue=self._overdue().message,
                require_tls=custom.require_tls,
                ignore_tls=custom.ignore_tls,
            )

    def _judged(self, given: str) -> str:
        if refusal := self.targets.check_hostname(given):
            raise EgressRefused(refusal)
        host = host_of_entry(given)
        if host is None:
            raise failures.not_resolved(OSError(), given)
        return host

    @asynccontextmanager
    async def _socket(self, host: str, port: int, deadline: float) -> AsyncIterator[socket.socket]:
        if self.tunnels is not None and self.tunnels.proxy.serves(host):
            self.targets.require_tunnelled(host)
            tunnel = await self._in_time(self.tunnels.open(host, port), deadline)
            async with _as_socket(tunnel) as sock:
                yield sock
        else:
            with _ended(await self._in_time(self.dialler.connect(host, port), deadline)) as sock:
                yield sock

    async def _in_time(self, connecting: Awaitable[T], deadline: float) -> T:
        try:
            async with asyncio.timeout_at(deadline):
                return await connecting
        except TimeoutError:
            raise self._overdue() from None

    def _overdue(self) -> EgressFailed:
        return failures.timed_out(round(self.timeout.total_seconds() * 1000))


@contextmanager
def _ended(sock: socket.socket) -> Iterator[socket.socket]:
    """End the connection on leaving. To close the socket is up to its owner: a transport may still hold on to it."""
    sock.setblocking(False)
    try:
        yield sock
    finally:
        if sock.fileno() != -1:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


@asynccontextmanager
async def _as_socket(tunnel: Tunnel) -> AsyncIterator[socket.socket]:
    """One end of a pair of sockets whose other end is joined to the tunnel."""
    ours, theirs = socket.socketpair()
    with _ended(theirs):
        near_reader, near_writer = await asyncio.open_connection(sock=ours)
        far_reader, far_writer = _streams(tunnel)
        copies = [
            asyncio.create_task(_copy(far_reader, near_writer)),
            asyncio.create_task(_copy(near_reader, far_writer)),
        ]
        try:
            yield theirs
        finally:
            for copy in copies:
                copy.cancel()
            await asyncio.gather(*copies, return_exceptions=True)
            near_writer.close()
            tunnel.transport.close()


def _streams(tunnel: Tunnel) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    tunnel.hand_over(protocol)
    return reader, asyncio.StreamWriter(tunnel.transport, protocol, reader, loop)


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Until either end is closed; then the other end is told."""
    try:
        while data := await source.read(CHUNK):
            sink.write(data)
            await sink.drain()
    except OSError:
        pass
    finally:
        sink.close()
