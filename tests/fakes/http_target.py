"""Servers to send actions to: one that speaks HTTP and records what it got, one that writes bytes as it is told."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request as the target saw it; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`hangs` means that the answer never comes; `then` is the answer to the next request."""

    status: int = 200
    reason: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    hangs: bool = False
    then: "Answer | None" = None


@dataclass(slots=True)
class HttpTarget:
    """Answers 200 with an empty body on every path, unless `answers` says otherwise for the path."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _peers: set[object] = field(default_factory=set)

    def answers_with(self, path: str, answer: Answer) -> str:
        """Set the answer for a path and return its URL."""
        self.answers[path] = answer
        return self.url + path

    @property
    def last(self) -> Received:
        return self.received[-1]

    @property
    def connections(self) -> int:
        """How many connections requests have come over."""
        return len(self._peers)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        self.received.append(Received(method=request.method, path=request.path_qs, headers=headers, body=body))
        self._peers.add(request.get_extra_info("peername"))
        self.arrived.set()
        answer = self.answers.get(request.path, Answer())
        if answer.then is not None:
            self.answers[request.path] = answer.then
        if answer.hangs:
            await asyncio.Event().wait()
        return web.Response(status=answer.status, reason=answer.reason, headers=answer.headers, body=answer.body)


@asynccontextmanager
async def http_target(tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[HttpTarget]:
    """Serve on a free port of a loopback address."""
    target = HttpTarget()
    application = web.Application(client_max_size=1 << 26)
    application.router.add_route("*", "/{path:.*}", target.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, 0, ssl_context=tls).start()
        target.url = f"{'https' if tls else 'http'}://{host}:{runner.addresses[0][1]}"
        yield target
    finally:
        await runner.cleanup()


Respond = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_target(respond: Respond) -> AsyncIterator[str]:
    """Serve connections by a function that is handed each after the head of its first request; yield the URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await respond(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


def writes(content: bytes) -> Respond:
    """Answer with these very bytes, then close."""

    async def respond(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()

    return respond


async def stays_silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Answer nothing until the other side gives up."""
    while await reader.read(1024):
        pass


async def resets(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Drop the connection with a TCP reset."""
    transport = writer.transport
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
