"""A proxy: tunnels by CONNECT, forwards requests with absolute URIs, and records what it was asked."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Header names in lower case; `target` as it stood in the request line."""

    method: str
    target: str
    headers: Mapping[str, str]


@dataclass(slots=True)
class HttpProxy:
    """Every name leads to a loopback address. `refuses` is answered to each request, where it is set.

    With `needs` no request passes without that `Proxy-Authorization`; with `leads_to` every tunnel ends at that port,
    whatever was asked for.
    """

    url: str = ""
    needs: str | None = None
    refuses: bytes | None = None
    leads_to: int | None = None
    asked: list[Asked] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Host and port."""
        return self.url.partition("://")[2]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked = _asked(head)
        self.asked.append(asked)
        if self.refuses is not None:
            writer.write(self.refuses)
        elif self.needs is not None and asked.headers.get("proxy-authorization") != self.needs:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        elif asked.method == "CONNECT":
            port = self.leads_to or int(asked.target.rpartition(":")[2])
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await _join(reader, writer, far_reader, far_writer)
        else:
            await self._forward(head, asked, reader, writer)

    async def _forward(
        self, head: bytes, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        authority, _, path = asked.target.removeprefix("http://").partition("/")
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", int(authority.rpartition(":")[2]))
        line, rest = head.split(b"\r\n", 1)
        far_writer.write(line.replace(asked.target.encode(), f"/{path}".encode()) + b"\r\n" + rest)
        await _join(reader, writer, far_reader, far_writer)


def _asked(head: bytes) -> Asked:
    line, *lines = head.decode("latin-1").strip().split("\r\n")
    method, target, _ = line.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
    return Asked(method=method, target=target, headers=headers)


async def _join(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    far_reader: asyncio.StreamReader,
    far_writer: asyncio.StreamWriter,
) -> None:
    """Until either side is closed."""
    copies = {asyncio.create_task(_copy(reader, far_writer)), asyncio.create_task(_copy(far_reader, writer))}
    try:
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in copies:
            each.cancel()
        far_writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()


@asynccontextmanager
async def http_proxy(tls: ssl.SSLContext | None = None) -> AsyncIterator[HttpProxy]:
    """Serve on a free port of a loopback address; leaving ends what is under way."""
    proxy, serving = HttpProxy(), set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            await proxy.serve(reader, writer)
        except asyncio.CancelledError:
            pass  # the end of the proxy
        finally:
            serving.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    proxy.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        for task in list(serving):
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
