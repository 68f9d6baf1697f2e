"""What a connector type is, and what it is given to do its work: all that a type imports of the engine.

A type is one `ConnectorType` value in one file: schemas for config, secrets and params, and a function that carries
out an action. It opens no socket of its own: every call to the outside goes through `Egress`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel

from connectory.connector_types.bulk_indexing import Elasticsearch
from connectory.connector_types.mail_settings import MailSettings
from connectory.connector_types.oauth import AccessTokens
from connectory.connector_types.outgoing import (
    ClientCertificate,
    Egress,
    EgressFailed,
    EgressRefused,
    ExchangeRefused,
    HostRules,
    MailConnection,
    MailServer,
    OutgoingRequest,
    OutgoingResponse,
    VerificationMode,
)
from connectory.connector_types.templating import Render
from connectory.domain.documents import DocumentIndexed
from connectory.domain.errors import ConnectoryError, Unavailable
from connectory.domain.execution import ActionRequest, ErrorSource, Result
from connectory.domain.json_types import JsonObject

__all__ = [
    "AccessTokens",
    "AnyConnectorType",
    "ClientCertificate",
    "ConnectorType",
    "Egress",
    "EgressFailed",
    "EgressRefused",
    "ExchangeRefused",
    "HostRules",
    "License",
    "MailConnection",
    "MailServer",
    "OutgoingRequest",
    "OutgoingResponse",
    "Render",
    "Run",
    "RunFailed",
    "ServerLog",
    "SubActionInfo",
    "Surroundings",
    "TypeExample",
    "TypeSettings",
    "VerificationMode",
]

License = Literal["basic", "standard", "gold", "platinum", "enterprise", "trial"]


class ServerLog(Protocol):
    """Where `.server-log` writes. Levels are `trace`, `debug`, `info`, `warn`, `error` and `fatal`."""

    def write(self, level: str, message: str) -> None: ...


class Documents(Protocol):
    """Where `.index` keeps documents when no search engine is configured to take them."""

    async def keep(self, documents: Sequence[DocumentIndexed]) -> None:
        """Return when they are safe.

        Raises `MessageTooLarge` and `Unencodable` before any is kept, and `Unavailable` when that is not known.
        """
        ...


class NoDocuments:
    """Where there is no store: whatever should be kept is refused."""

    async def keep(self, documents: Sequence[DocumentIndexed]) -> None:
        raise Unavailable(f"there is no store for {len(documents)} documents here")


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeSettings:
    """The settings that types look at when they validate."""

    hosts: HostRules
    webhook_pfx_enabled: bool = True
    mail: MailSettings = field(default_factory=MailSettings)
    elasticsearch: Elasticsearch | None = None


C = TypeVar("C", bound=BaseModel)
S = TypeVar("S", bound=BaseModel)
P = TypeVar("P", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all runs of a process share. `now` reads the clock."""

    egress: Egress
    server_log: ServerLog
    now: Callable[[], datetime]
    tokens: AccessTokens = field(default_factory=AccessTokens)
    documents: Documents = field(default_factory=NoDocuments)


@dataclass(slots=True, kw_only=True)
class Run(Generic[C, S, P]):
    """One attempt. `idempotency_key` is the same for every attempt of a request; `source` says what asked for it.

    Not frozen only because one is made for each attempt, thousands a second, and freezing costs several times what
    making it does. Nobody changes one.
    """

    connector_id: str
    connector_name: str
    config: C
    secrets: S
    params: P
    idempotency_key: str
    source: str | None
    settings: TypeSettings
    surroundings: Surroundings

    @property
    def egress(self) -> Egress:
        return self.surroundings.egress

    @property
    def server_log(self) -> ServerLog:
        return self.surroundings.server_log

    @property
    def tokens(self) -> AccessTokens:
        return self.surroundings.tokens

    def now(self) -> datetime:
        return self.surroundings.now()


class RunFailed(ConnectoryError):
    """Raised by a type for a failure that the engine turns into a result, tagged with whose fault it is.

    `status`, `undelivered` and `retry_after` are those of `Failed`.
    """

    code = "run-failed"

    def __init__(
        self,
        message: str,
        error_source: ErrorSource = ErrorSource.FRAMEWORK,
        *,
        status: int | None = None,
        undelivered: bool = False,
        retry_after: datetime | None = None,
    ) -> None:
        super().__init__(message)
        self.error_source = error_source
        self.status = status
        self.undelivered = undelivered
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class SubActionInfo:
    """What lists and documentation say of a sub-action. `params` is its own schema, where it has one."""

    name: str
    title: str = ""
    description: str = ""
    params: type[BaseModel] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeExample:
    """A connector and params as documentation shows them: valid, but for secrets that are made up."""

    config: JsonObject = field(default_factory=dict)
    secrets: JsonObject = field(default_factory=dict)
    params: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorType(Generic[C, S, P]):
    """A connector type.

    The checks run after the schemas; they return the text of a problem, or None. `render_params` fills in the
    templates of the params where the type does not render every string unescaped. `params_of` is for a type of which
    what is given decides which of several schemas it has to fit: the one it returns stands for `params` then.
    `sub_actions` is for lists and documentation; what is carried out is up to `execute`. `may_run` is for a type that
    takes privileges of its own, by params and by who asks: it is asked before each attempt.

    A system type has exactly one connector, which nobody creates, and is left out of what the public routes list. A
    type with a `system_variant` has such a connector besides those that users create; the variant says how it is run.
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
    check_params: Callable[[P, TypeSettings], str | None] = lambda _params, _settings: None
    render_params: Callable[[JsonObject, Render], JsonObject] | None = None
    params_of: Callable[[JsonObject], type[P]] | None = None
    config_of: Callable[[JsonObject], type[C]] | None = None
    config_variants: tuple[type[BaseModel], ...] = ()
    is_deprecated: bool = False
    is_system: bool = False
    system_variant: "AnyConnectorType | None" = None
    allow_multiple_system_actions: bool | None = None
    may_run: Callable[[P, ActionRequest], bool] | None = None
    is_experimental: bool = False
    sub_feature: str | None = None
    description: str | None = None
    source: str = "stack"
    max_attempts: int | None = None
    sub_actions: tuple[SubActionInfo, ...] = ()
    example: TypeExample = field(default_factory=TypeExample)


AnyConnectorType = ConnectorType[Any, Any, Any]
