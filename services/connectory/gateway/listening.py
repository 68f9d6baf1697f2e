"""The HTTP server around the application: address, TLS, limits on clients, and an orderly end."""

import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from connectory.domain.errors import ConnectoryError, SettingsInvalid
from connectory.infra.settings import HttpSettings

IDLE_SECONDS: Final = 75.0
"""For a connection without a request, or with one whose head does not come to its end."""

GRACE_SECONDS: Final = 10.0
"""For requests that are being answered when the server stops."""


class CannotListen(ConnectoryError):
    """The address is taken, not ours, or not allowed."""

    code = "cannot-listen"


@asynccontextmanager
async def listening(app: web.Application, http: HttpSettings) -> AsyncIterator[str]:
    """Serve the application and yield its URL; at the end stop accepting, and let what is in flight be answered.

    Port 0 takes a free one. Raises `CannotListen`, and `SettingsInvalid` for a certificate that cannot be used.
    """
    tls = _tls(http)
    runner = web.AppRunner(
        app, access_log=None, logger=_server_log(), keepalive_timeout=IDLE_SECONDS, shutdown_timeout=GRACE_SECONDS
    )
    await runner.setup()
    try:
        yield await _bind(runner, http, tls)
    finally:
        await runner.cleanup()


async def _bind(runner: web.AppRunner, http: HttpSettings, tls: ssl.SSLContext | None) -> str:
    try:
        await web.TCPSite(runner, http.host, http.port, ssl_context=tls).start()
    except OSError as error:
        text = f"Cannot listen on {http.host} port {http.port}: {error.strerror or error}."
        mend = "End what uses that port, or choose another address by connectory.http.host and connectory.http.port."
        raise CannotListen(f"{text} {mend}") from error
    host = f"[{http.host}]" if ":" in http.host else http.host
    return f"{'https' if tls else 'http'}://{host}:{runner.addresses[0][1]}"


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
