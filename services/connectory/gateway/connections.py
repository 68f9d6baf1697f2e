"""Connections of clients: how many there may be, and what is said to those who do not speak HTTP."""

import asyncio
from http import HTTPStatus
from typing import Any, Final

from aiohttp import hdrs, web

from connectory.gateway.errors import INTERNAL, Problem
from connectory.gateway.outgoing import JSON_TYPE, answer_problem, write_problem

SERVER_NAME: Final = web.AppKey("kbn-name", str)

MALFORMED: Final = Problem(400, "The request is not valid HTTP")
TOO_MANY: Final = Problem(503, "There are too many connections at the moment. Try again later.")


class Connections:
    """Makes the protocol of each new connection. Those beyond `most` are told so and closed.

    Those that are only now made when the server is `closing` are closed too: whoever ends the others has passed by.
    """

    def __init__(self, server: web.Server, name: str, most: int, **options: Any) -> None:
        self._server = server
        self._name = name
        self._refusal = _refusal(name)
        self._most = most
        self._options = options
        self.closing = False

    def __call__(self) -> asyncio.Protocol:
        if self.closing or len(self._server.connections) >= self._most:
            return _Refusing(self._refusal)
        return _Connection(self, self._server, self._name, **self._options)


class _Connection(web.RequestHandler):
    """What is no HTTP gets the error body too. It is not quoted: there may be credentials in it."""

    __slots__ = ("_all", "_name")

    def __init__(self, all_: Connections, server: web.Server, name: str, **options: Any) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), **options)
        self._all = all_
        self._name = name

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._all.closing:
            transport.close()
        else:
            super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self.transport is not None:
            super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        super().handle_error(request, status, exc, message)
        response = answer_problem(MALFORMED if status == HTTPStatus.BAD_REQUEST else INTERNAL)
        response.headers["kbn-name"] = self._name
        response.force_close()
        return response


class _Refusing(asyncio.Protocol):
    """Says that there is no room, and hangs up."""

    def __init__(self, refusal: bytes) -> None:
        self._refusal = refusal

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            transport.write(self._refusal)
        transport.close()


def _refusal(name: str) -> bytes:
    body = write_problem(TOO_MANY)
    head = (
        f"HTTP/1.1 {TOO_MANY.status} {HTTPStatus(TOO_MANY.status).phrase}",
        f"{hdrs.CONTENT_TYPE}: {JSON_TYPE}",
        f"{hdrs.CONTENT_LENGTH}: {len(body)}",
        f"{hdrs.CONNECTION}: close",
        f"{hdrs.RETRY_AFTER}: 1",
        f"kbn-name: {name}",
    )
    return "\r\n".join((*head, "", "")).encode() + body
