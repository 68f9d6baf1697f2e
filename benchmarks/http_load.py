"""Requests over HTTP as fast as they are answered, with as little work here as possible: the server is to be measured.

Run as `python -m benchmarks.http_load HOST PORT PATH COUNT CONNECTIONS AUTHORIZATION`, it prints JSON: requests per
second, and percentiles in milliseconds. `{number}` in PATH becomes a number below `NUMBERS`, another each time. Any
answer but 200 ends it.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from statistics import quantiles
from typing import Final, cast

import uvloop

NUMBERS: Final = 1_000

_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Client(asyncio.Protocol):
    """One connection: sends a request when the one before is answered, until there are none left."""

    def __init__(self, requests: Iterator[bytes], times: list[float]) -> None:
        self._requests = requests
        self._times = times
        self._answer = b""
        self._sent_at = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send_next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the connection was lost: {exc}")

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if not self._answer.startswith(b"HTTP/1.1 200"[: len(self._answer)]):
            self._fail(f"answered {self._answer[:200]!r}")
        elif self._is_complete():
            self._answer = b""
            self._times.append(time.perf_counter() - self._sent_at)
            self._send_next()

    def _is_complete(self) -> bool:
        head = self._answer.find(b"\r\n\r\n")
        length = _LENGTH.search(self._answer, 0, head) if head >= 0 else None
        return length is not None and len(self._answer) >= head + 4 + int(length[1])

    def _send_next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            if not self.done.done():
                self.done.set_result(None)
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def _fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError(why))
            self._transport.close()


def requests(path: str, authorization: str) -> Sequence[bytes]:
    head = f"Host: 127.0.0.1\r\nAuthorization: {authorization}\r\nAccept: */*\r\n\r\n"
    return [f"GET {path.format(number=number)} HTTP/1.1\r\n{head}".encode() for number in range(NUMBERS)]


async def load(host: str, port: int, path: str, count: int, connections: int, authorization: str) -> dict[str, float]:
    loop, times = asyncio.get_running_loop(), list[float]()
    left = islice(cycle(requests(path, authorization)), count)
    begun = time.perf_counter()
    clients = [await loop.create_connection(lambda: Client(left, times), host, port) for _ in range(connections)]
    await asyncio.gather(*(client.done for _, client in clients))
    seconds = time.perf_counter() - begun
    percentiles = quantiles(times, n=100)
    return {"per_s": count / seconds, "p50_ms": percentiles[49] * 1000, "p99_ms": percentiles[98] * 1000}


if __name__ == "__main__":
    host_, port_, path_, count_, connections_, authorization_ = sys.argv[1:]
    figures = uvloop.run(load(host_, int(port_), path_, int(count_), int(connections_), authorization_))
    print(json.dumps(figures))  # noqa: T201
