"""aiohttp's pool of connections, over tunnels.

aiohttp's own proxy support tunnels to `https://` targets only, and holds a proxy's certificate against the trust store
of the target; what a connector adds to it is one method, as with its connectors for other transports.
"""

import asyncio
import ssl

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest
from aiohttp.tracing import Trace

from connectory.infra.egress.tunnels import Tunnel, Tunnels


class TunnelConnector(aiohttp.BaseConnector):
    """Connects to every target through tunnels."""

    def __init__(self, tunnels: Tunnels, *, keepalive_timeout: float) -> None:
        super().__init__(limit=0, keepalive_timeout=keepalive_timeout)
        self._tunnels = tunnels

    async def _create_connection(
        self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> ResponseHandler:
        """Raise `EgressFailed`, or what aiohttp raises when TLS with the target fails."""
        tunnel = await self._tunnels.open(req.url.host_subcomponent or "", req.url.port or 0)
        protocol = self._factory()
        if req.is_ssl():
            protocol.connection_made(await _with_tls(tunnel, protocol, req))
        else:
            tunnel.hand_over(protocol)
        return protocol


async def _with_tls(tunnel: Tunnel, protocol: ResponseHandler, req: ClientRequest) -> asyncio.Transport:
    assert isinstance(req.ssl, ssl.SSLContext)
    loop = asyncio.get_running_loop()
    if tunnel.early:  # nobody but the proxy, or somebody behind it, speaks before TLS does
        tunnel.transport.abort()
        raise aiohttp.ServerDisconnectedError
    try:
        transport = await loop.start_tls(tunnel.transport, protocol, req.ssl, server_hostname=req.host)
    except ssl.CertificateError as error:
        raise aiohttp.ClientConnectorCertificateError(req.connection_key, error) from error
    except ssl.SSLError as error:
        raise aiohttp.ClientConnectorSSLError(req.connection_key, error) from error
    except BaseException:
        tunnel.transport.abort()
        raise
    if transport is None:
        raise aiohttp.ServerDisconnectedError
    return transport
