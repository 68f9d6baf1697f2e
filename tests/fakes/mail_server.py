"""A mail server on a real socket, with STARTTLS or TLS from the start, and with users."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "ops", "mail-pass-word"


async def for_ever() -> None:
    """Until the client goes."""
    await asyncio.Event().wait()


@dataclass
class FakeMailServer:
    """What it was sent. `refuses` are recipients that it takes no mail for; `broken` is its answer to any mail.

    With `silent` it does not even greet; `waits` is awaited before it answers a command, or for `DATA` the mail.
    """

    refuses: frozenset[str] = frozenset()
    broken: str | None = None
    silent: bool = False
    waits: Mapping[str, Callable[[], Awaitable[object]]] = field(default_factory=dict)
    port: int = 0
    mails: list[tuple[Envelope, Session]] = field(default_factory=list)

    def only_mail(self) -> EmailMessage:
        """The one mail that was sent."""
        ((envelope, _),) = self.mails
        parsed = BytesParser(policy=default).parsebytes(envelope.content or b"")  # type: ignore[arg-type]
        assert isinstance(parsed, EmailMessage)
        return parsed

    async def handle_MAIL(  # noqa: N802  # the library's name
        self, _server: Any, _session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        await self._wait("MAIL")
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802  # likewise
        self, _server: Any, _session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        await self._wait("RCPT")
        if address in self.refuses:
            return "550 5.1.1 nobody here"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802  # likewise
        await self._wait("DATA")
        if self.broken is not None:
            return self.broken
        self.mails.append((envelope, session))
        return "250 2.0.0 taken"

    async def handle_QUIT(self, _server: Any, _session: Any, _envelope: Any) -> str:  # noqa: N802  # likewise
        await self._wait("QUIT")
        return "221 Bye"

    async def _wait(self, command: str) -> None:
        if command in self.waits:
            await self.waits[command]()


def _authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
    right = isinstance(given, LoginPassword) and (given.login, given.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)


@asynccontextmanager
async def mail_server(
    *, tls: ssl.SSLContext | None = None, secure: bool = False, **options: Any
) -> AsyncIterator[FakeMailServer]:
    """With `tls` STARTTLS is offered, or with `secure` TLS is there from the start."""
    server = FakeMailServer(**options)
    starttls = None if secure else tls

    def protocol() -> asyncio.Protocol:
        if server.silent:
            return asyncio.Protocol()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that passwords may come in the clear is what is wanted here
            return made()

    def made() -> SMTP:
        return SMTP(
            server,
            hostname="mail.test",
            tls_context=starttls,
            authenticator=_authenticate,
            auth_require_tls=False,
            loop=asyncio.get_running_loop(),
        )

    listening = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=tls if secure else None)
    async with listening:
        server.port = listening.sockets[0].getsockname()[1]
        yield server
