"""The HTTP server around the application: address, TLS, limits on clients, and an orderly end."""

import asyncio
import logging
import resource
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from connectory.domain.errors import ConnectoryError, SettingsInvalid
from connectory.gateway.connections import SERVER_NAME, Connections
from connectory.infra.settings import HttpSettings

IDLE_SECONDS: Final = 75.0
"""For a connection without a request, or with one whose head does not come to its end."""

GRACE_SECONDS: Final = 10.0
"""For requests that are being answered when the server stops."""

BACKLOG: Final = 512
"""Connections that the system holds while they are not accepted."""

OTHER_FILES: Final = 512
"""What a process has open besides connections of clients, and some to spare."""


class CannotListen(ConnectoryError):
    """The address is taken, not ours, or not allowed."""

    code = "cannot-listen"


@asynccontextmanager
async def listening(app: web.Application, http: HttpSettings) -> AsyncIterator[str]:
    """Serve the application and yield its URL; at the end stop accepting, and let what is in flight be answered.

    Port 0 takes a free one. Raises `CannotListen`, and `SettingsInvalid` for a certificate that cannot be used.
    """
    tls = _tls(http)
    runner = web.AppRunner(app, shutdown_timeout=GRACE_SECONDS)
    await runner.setup()
    try:
        connections = _connections(runner, app.get(SERVER_NAME, ""), http)
        server = await _bind(connections, http, tls)
        try:
            port = server.sockets[0].getsockname()[1]
            yield _url(http.host, port, secure=tls is not None)
        finally:
            connections.closing = True
            await _stop_accepting(server)
    finally:
        await runner.cleanup()


async def _stop_accepting(server: asyncio.Server) -> None:
    """Python 3.11 loses the socket of a connection that it accepts in the step in which its server is closed.

    So first nothing more is accepted, then those that were are made, and closed.
    """
    loop = asyncio.get_running_loop()
    for listener in server.sockets:
        with suppress(RuntimeError, NotImplementedError):  # loops that accept otherwise need none of this
            loop.remove_reader(listener.fileno())
    for _ in range(2):
        await asyncio.sleep(0)
    server.close()


def _connections(runner: web.AppRunner, name: str, http: HttpSettings) -> Connections:
    if runner.server is None:
        raise RuntimeError("the runner is set up before it is bound")
    log = _server_log()
    return Connections(
        runner.server, name, http.max_connections, access_log=None, logger=log, keepalive_timeout=IDLE_SECONDS
    )


async def _bind(connections: Connections, http: HttpSettings, tls: ssl.SSLContext | None) -> asyncio.Server:
    _allow_files(http.max_connections + OTHER_FILES)
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(connections, http.host, http.port, ssl=tls, backlog=BACKLOG)
    except OSError as error:
        text = f"Cannot listen on {http.host} port {http.port}: {error.strerror or error}."
        mend = "End what uses that port, or choose another address by connectory.http.host and connectory.http.port."
        raise CannotListen(f"{text} {mend}") from error


def _url(host: str, port: int, *, secure: bool) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if secure else 'http'}://{shown}:{port}"


def _allow_files(count: int) -> None:
    """Ask the system for as many open files as it lets this process have, up to `count`: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _tls(http: HttpSettings) -> ssl.SSLContext | None:
    if http.ssl_certificate_file is None:
        return None
    password = http.ssl_key_password.get_secret_value() if http.ssl_key_password else ""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # Without a password the library would ask for one on the terminal.
        context.load_cert_chain(http.ssl_certificate_file, http.ssl_key_file, password)
    except (OSError, ValueError) as error:
        text = f"[connectory.http.ssl]: {http.ssl_certificate_file} and its key cannot be used: {error}"
        raise SettingsInvalid(text) from error
    return context


class _MalformedRequests(logging.Filter):
    """Malformed HTTP is the client's mistake, and quoting it could quote its credentials: one line, no traceback.

    A body that cannot be read, one that is not in its encoding for instance, shows again after its answer, when what
    is left of it is skipped.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError | web.RequestPayloadError):
            record.levelno, record.levelname = logging.INFO, "INFO"
            record.msg, record.exc_info = "malformed HTTP from %s", None
        return True


def _server_log() -> logging.Logger:
    log = logging.getLogger(f"{__name__}.server")
    if not log.filters:
        log.addFilter(_MalformedRequests())
    return log
