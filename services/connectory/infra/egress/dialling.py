"""Connecting a socket: a name is looked up once, and only what the guard permits is dialled."""

import asyncio
import socket
from dataclasses import dataclass

from connectory.connector_types.contract import EgressFailed, EgressRefused
from connectory.infra.egress import failures
from connectory.infra.egress.addresses import AddressGuard
from connectory.infra.egress.hosts import AllowedHosts
from connectory.infra.egress.resolver import GuardedResolver
from connectory.infra.egress.targets import literal_address


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialler:
    names: GuardedResolver
    guard: AddressGuard
    hosts: AllowedHosts

    async def connect(self, host: str, port: int) -> socket.socket:
        """A connected socket to a host in WHATWG form; raise `EgressFailed`, or `EgressRefused` by the guard."""
        failure: EgressFailed | None = None
        for address in await self._addresses(host, port):
            try:
                return await _connected(address, port)
            except OSError as error:
                failure = failures.not_connected(error, host, port)
        raise failure or failures.not_resolved(socket.gaierror(socket.EAI_NONAME, "no address"), host)

    async def _addresses(self, host: str, port: int) -> list[str]:
        literal = literal_address(host)
        if literal is not None:
            self.require_permitted(host)
            return [literal]
        try:
            return [result["host"] for result in await self.names.resolve(host, port)]
        except OSError as error:
            raise failures.not_resolved(error, host) from error

    def require_permitted(self, host: str) -> None:
        """Raise `EgressRefused` for a host that is a guarded address itself; of names the look-up is judged."""
        literal = None if self.hosts.names(host) else literal_address(host)
        if literal is not None and (refusal := self.guard.check_address(literal, host)):
            raise EgressRefused(refusal)


async def _connected(address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except BaseException:
        sock.close()
        raise
    return sock
