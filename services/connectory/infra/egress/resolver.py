"""Name resolution with the guard inside: what comes out of here is what is dialled, without a second look-up."""

import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from connectory.connector_types.contract import EgressRefused
from connectory.infra.egress.addresses import AddressGuard


class GuardedResolver(AbstractResolver):
    """Resolves by another resolver and passes on the permitted addresses only."""

    def __init__(self, names: AbstractResolver, guard: AddressGuard) -> None:
        self.unguarded = names
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raise `EgressRefused` when no address of the name may be dialled, `OSError` when it has none."""
        if refusal := self._guard.check_name(host):
            raise EgressRefused(refusal)
        found = await self.unguarded.resolve(host, port, family)
        refusals = [self._guard.check_address(result["host"], host) for result in found]
        permitted = [result for result, refusal in zip(found, refusals, strict=True) if refusal is None]
        if permitted:
            return permitted
        first = next(filter(None, refusals), None)
        raise EgressRefused(first) if first else socket.gaierror(socket.EAI_NONAME, "no address")

    async def close(self) -> None:
        await self.unguarded.close()
