"""A target that answers every request with 200 and as little work as possible, in a process of its own.

Run as `python -m benchmarks.sink`, it prints its port. A request whose body holds `sent:<seconds>;` is timed: `GET
/times` answers the delays in milliseconds, from that moment to its arrival here, as JSON.
"""

import asyncio
import json
import re
import time
from typing import cast

import uvloop

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
SENT = re.compile(rb"sent:([0-9.]+);")


class Sink(asyncio.Protocol):
    delays: list[float]

    def __init__(self, delays: list[float]) -> None:
        self.delays = delays
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._request_end()) is not None:
            request, self._buffer = self._buffer[:end], self._buffer[end:]
            self._transport.write(self._answer(request))

    def _request_end(self) -> int | None:
        """Where the first request in the buffer ends; None while it is not complete."""
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return None
        length = LENGTH.search(self._buffer, 0, head)
        end = head + 4 + (int(length[1]) if length else 0)
        return end if len(self._buffer) >= end else None

    def _answer(self, request: bytes) -> bytes:
        sent = SENT.search(request)
        if sent:
            self.delays.append((time.time() - float(sent[1])) * 1000)
        if not request.startswith(b"GET /times "):
            return OK
        body = json.dumps(self.delays).encode()
        self.delays.clear()
        return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


async def serve() -> None:
    delays: list[float] = []
    server = await asyncio.get_running_loop().create_server(lambda: Sink(delays), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
