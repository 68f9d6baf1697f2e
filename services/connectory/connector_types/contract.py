"""What a connector type is, and what it is given to do its work.

A type is one `ConnectorType` value in one file: schemas for config, secrets and params, and a function that carries
out an action. It opens no socket of its own: every call to the outside goes through `Egress`.

Requests, responses and runs are not frozen only because they are made anew for each attempt, thousands a second, and
freezing costs several times what making them does. Nobody changes one.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel

from connectory.connector_types.templating import Render
from connectory.domain.errors import ConnectoryError
from connectory.domain.execution import ErrorSource, Result
from connectory.domain.json_types import JsonObject

License = Literal["basic", "standard", "gold", "platinum", "enterprise", "trial"]
VerificationMode = Literal["none", "certificate", "full"]


@dataclass(slots=True, kw_only=True)
class OutgoingRequest:
    """One HTTP call. `timeout_ms` can only lengthen the configured response timeout.

    An empty body is left out. `secret_headers` names, in lower case, the headers that a redirect to another origin
    must not see, besides `Authorization` and `Cookie`. `ca_pem` replaces the trust store.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret_headers: frozenset[str] = frozenset()
    body: str | bytes | None = field(default=None, repr=False)
    timeout_ms: int | None = None
    verification_mode: VerificationMode | None = None
    ca_pem: bytes | None = None


@dataclass(slots=True, kw_only=True)
class OutgoingResponse:
    """What the target answered, whatever its status. `body` is decompressed; look headers up in lower case."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


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


class HostRules(Protocol):
    """Which targets the operator allows."""

    def parses(self, url: str) -> bool:
        """Whether the text is a URL by WHATWG rules."""
        ...

    def check_url(self, url: str) -> str | None:
        """Return the refusal text for a URL whose host is not allowed, None when it is allowed."""
        ...

    def check_hostname(self, hostname: str) -> str | None: ...


class ServerLog(Protocol):
    """Where `.server-log` writes. Levels are `trace`, `debug`, `info`, `warn`, `error` and `fatal`."""

    def write(self, level: str, message: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeSettings:
    """The settings that types look at when they validate."""

    hosts: HostRules
    webhook_pfx_enabled: bool = True


C = TypeVar("C", bound=BaseModel)
S = TypeVar("S", bound=BaseModel)
P = TypeVar("P", bound=BaseModel)


@dataclass(slots=True, kw_only=True)
class Run(Generic[C, S, P]):
    """One attempt. `idempotency_key` is the same for every attempt of a request; `now` reads the clock."""

    connector_id: str
    config: C
    secrets: S
    params: P
    idempotency_key: str
    now: Callable[[], datetime]
    egress: Egress
    server_log: ServerLog


class RunFailed(ConnectoryError):
    """Raised by a type for a failure that the engine turns into a result, tagged with whose fault it is."""

    code = "run-failed"

    def __init__(self, message: str, error_source: ErrorSource = ErrorSource.FRAMEWORK) -> None:
        super().__init__(message)
        self.error_source = error_source


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorType(Generic[C, S, P]):
    """A connector type.

    The three checks run after the schemas; they return the text of a problem, or None. `render_params` fills in the
    templates of the params where the type does not render every string unescaped.
    """

    id: str
    name: str
    minimum_license: License
    feature_ids: tuple[str, ...]
    config: type[C]
    secrets: type[S]
    params: type[P]
    execute: Callable[[Run[C, S, P]], Awaitable[Result]]
    check_config: Callable[[C, TypeSettings], str | None] = lambda _config, _settings: None
    check_secrets: Callable[[S, TypeSettings], str | None] = lambda _secrets, _settings: None
    check_connector: Callable[[C, S], str | None] = lambda _config, _secrets: None
    render_params: Callable[[JsonObject, Render], JsonObject] | None = None
    is_deprecated: bool = False
    is_system: bool = False
    is_experimental: bool = False
    sub_feature: str | None = None
    description: str | None = None
    source: str = "stack"
    max_attempts: int | None = None


AnyConnectorType = ConnectorType[Any, Any, Any]
