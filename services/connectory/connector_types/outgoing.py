"""Calls to the outside: what a type asks for, what comes back, and how a call fails.

Requests and responses are not frozen only because they are made anew for each attempt, thousands a second, and
freezing costs several times what making them does. Nobody changes one.
"""

import socket
import ssl
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

from connectory.domain.errors import ConnectoryError

VerificationMode = Literal["none", "certificate", "full"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCertificate:
    """What proves a connector to its target: PEM of certificate and key, or a PFX, which counts before both."""

    certificate: bytes | None = field(default=None, repr=False)
    key: bytes | None = field(default=None, repr=False)
    pfx: bytes | None = field(default=None, repr=False)
    passphrase: str | None = field(default=None, repr=False)


@dataclass(slots=True, kw_only=True)
class OutgoingRequest:
    """One HTTP call. `timeout_ms` can only lengthen the configured response timeout, `max_redirects` only lessen.

    An empty body is left out. `secret_headers` names, in lower case, the headers that a redirect to another origin
    must not see, besides `Authorization` and `Cookie`. `ca_pem` replaces the trust store; the operator's settings for
    the host count before it, and before `verification_mode`.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret_headers: frozenset[str] = frozenset()
    body: str | bytes | None = field(default=None, repr=False)
    timeout_ms: int | None = None
    verification_mode: VerificationMode | None = None
    ca_pem: bytes | None = None
    client_certificate: ClientCertificate | None = None
    max_redirects: int | None = None


@dataclass(slots=True, kw_only=True)
class OutgoingResponse:
    """What the target answered, whatever its status. `body` is decompressed; look headers up in lower case."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """A mail server to be connected to.

    With `unchecked` its certificate is not checked, unless the operator's settings for the server say so.
    """

    host: str
    port: int
    unchecked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MailConnection:
    """A connected socket to a mail server, through the proxy where there is one. Nothing has been said on it.

    It belongs to whoever is given it, to be closed or made a transport of; the connection ends with the context anyway.
    `tls` is for TLS from the start and for STARTTLS. `require_tls` and `ignore_tls` are the operator's wishes about
    STARTTLS: to fail where it is not offered, and never to use it; None: not said. Connecting has taken its part of the
    time for the whole call; the rest ends at `deadline`, by the event loop's clock, and `overdue` says so.
    """

    sock: socket.socket
    tls: ssl.SSLContext
    deadline: float
    overdue: str
    require_tls: bool | None = None
    ignore_tls: bool | None = None


class EgressFailed(ConnectoryError):
    """No response: refused connection, timeout, reset, name not found.

    `error_code` is the code that Node's clients use for it (`ECONNREFUSED`, `ECONNABORTED`, …), None where they have
    none; clients match on it.
    """

    code = "egress-failed"
    retryable: ClassVar[bool] = True
    unreached: ClassVar[frozenset[str]] = frozenset(
        {"ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"}
    )

    def __init__(self, message: str, error_code: str | None = None) -> None:
        super().__init__(message)
        self.error_code = error_code

    @property
    def undelivered(self) -> bool:
        """Whether the target certainly has nothing of the request."""
        return self.error_code in self.unreached


class ExchangeRefused(EgressFailed):
    """A call that fails in the same way however often it is made.

    A request that cannot be put on the wire, a response above the size limit, a chain of redirects without end.
    """

    code = "exchange-refused"
    retryable = False


class EgressRefused(EgressFailed):
    """The call is not allowed: host not listed, or address guarded. Never retried; the user's to mend."""

    code = "egress-refused"
    retryable = False


class Egress(Protocol):
    """The one way out. Implemented by `connectory.infra.egress`."""

    async def send(self, request: OutgoingRequest) -> OutgoingResponse:
        """Send and return any response; raise `EgressFailed` when there is none."""
        ...

    def connect_mail(self, server: MailServer) -> AbstractAsyncContextManager[MailConnection]:
        """Connect to a mail server; leaving closes the connection. Entering raises `EgressFailed`."""
        ...


class HostRules(Protocol):
    """Which targets the operator allows."""

    def parses(self, url: str) -> bool:
        """Whether the text is a URL by WHATWG rules."""
        ...

    def protocol_of(self, url: str) -> str | None:
        """`https:`, `http:`, …, by WHATWG rules; None when the text is no URL."""
        ...

    def hostname_of(self, url: str) -> str | None:
        """The host in WHATWG form; None when the text is no URL or has no host."""
        ...

    def check_url(self, url: str) -> str | None:
        """Return the refusal text for a URL whose host is not allowed, None when it is allowed."""
        ...

    def check_hostname(self, hostname: str) -> str | None: ...
