"""A dry run: what a request would send with its connector as it is now, with nothing sent and no secret shown."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final, Protocol

from pydantic import BaseModel

from connectory.connector_types.contract import (
    EgressFailed,
    MailConnection,
    MailServer,
    OutgoingRequest,
    OutgoingResponse,
    Surroundings,
)
from connectory.connector_types.registry import Prepared, TypeRegistry
from connectory.domain.errors import ConnectoryError, Refused
from connectory.domain.execution import ActionRequest, Failed, Result
from connectory.domain.outcomes import ConnectorLabel
from connectory.domain.secrets import REDACTED
from connectory.infra.clock import Clock
from connectory.infra.crypto import Redactor
from connectory.infra.log import partition_for

ALWAYS_SECRET: Final = frozenset({"authorization", "proxy-authorization", "cookie"})
"""Headers whose values are not shown, in lower case, besides those that a type calls secret."""


class ReadyConnector(Protocol):
    """A connector with its secrets open."""

    def is_in(self, space_id: str) -> bool: ...
    @property
    def enabled(self) -> bool: ...
    @property
    def label(self) -> ConnectorLabel: ...
    @property
    def prepared(self) -> Prepared: ...
    @property
    def redactor(self) -> Redactor: ...
    @property
    def is_missing_secrets(self) -> bool: ...


class Connectors(Protocol):
    """The connectors of one partition."""

    def ready(self, connector_id: str) -> ReadyConnector:
        """Raises `Refused` when it is not there or cannot run, and `SecretsUnreadable`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCall:
    """An HTTP call that would be made. `body` None: without one."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What one request would do: `calls`, and `lines` in the server's log; or nothing, with `refusal` saying why.

    A target's answers are made up, a success each that would do as an access token: what depends on them may go another
    way.
    """

    calls: tuple[ShownCall, ...] = ()
    lines: tuple[str, ...] = ()
    connector_version: int | None = None
    refusal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """`connectors_of` opens those of a partition; they stay as they were then."""

    registry: TypeRegistry
    connectors_of: Callable[[int], Awaitable[Connectors]]
    partitions: int
    clock: Clock
    _opened: dict[int, Connectors] = field(default_factory=dict, init=False)

    async def rehearse(self, request: ActionRequest, request_id: str) -> Rehearsed:
        """Run the action of its type with an egress that leads nowhere, as the request of that new id."""
        try:
            ready = await self._ready(request)
            params = self.registry.parse_params(ready.prepared.type, request.params)
        except ConnectoryError as refusal:
            return Rehearsed(refusal=refusal.message)
        return await self._run(request, request_id, ready, params)

    async def _ready(self, request: ActionRequest) -> ReadyConnector:
        """Raises what would stand in the request's way."""
        partition = partition_for(request.connector_id.encode(), self.partitions)
        if partition not in self._opened:
            self._opened[partition] = await self.connectors_of(partition)
        ready = self._opened[partition].ready(request.connector_id)
        if not ready.is_in(request.space_id):
            raise Refused.not_found(request.connector_id)
        if not ready.enabled:
            raise Refused("connector-disabled", f"the connector {request.connector_id} is disabled: enable it first")
        if ready.is_missing_secrets:
            raise Refused.secrets_missing(ready.label.name)
        return ready

    async def _run(
        self, request: ActionRequest, request_id: str, ready: ReadyConnector, params: BaseModel
    ) -> Rehearsed:
        nowhere = _Nowhere()
        result = await self.registry.execute(
            ready.prepared,
            params,
            connector_id=request.connector_id,
            connector_name=ready.label.name,
            idempotency_key=request_id,
            source=request.source,
            surroundings=Surroundings(egress=nowhere, server_log=nowhere, now=self.clock),
        )
        return Rehearsed(
            calls=tuple(_shown(each, ready.redactor) for each in nowhere.requests),
            lines=tuple(ready.redactor.redact(line) for line in nowhere.lines),
            connector_version=ready.label.version,
            refusal=None if nowhere.requests else _failure(result, ready.redactor),
        )


_TOKEN: Final = b'{"token_type":"Bearer","access_token":"a-token","expires_in":0}'


class _Nowhere:
    """Remembers what was to leave, and answers each call with the same success."""

    def __init__(self) -> None:
        self.requests: list[OutgoingRequest] = []
        self.lines: list[str] = []

    async def send(self, request: OutgoingRequest) -> OutgoingResponse:
        self.requests.append(request)
        return OutgoingResponse(status=200, reason="OK", headers={"content-type": "application/json"}, body=_TOKEN)

    def connect_mail(self, server: MailServer) -> AbstractAsyncContextManager[MailConnection]:
        raise EgressFailed(f"nothing is sent in a rehearsal: {server.host}:{server.port} was not connected to")

    def write(self, level: str, message: str) -> None:
        self.lines.append(f"{level}: {message}")


def _shown(request: OutgoingRequest, redactor: Redactor) -> ShownCall:
    secret = request.secret_headers | ALWAYS_SECRET
    headers = {
        name: REDACTED if name.lower() in secret else redactor.redact(value) for name, value in request.headers.items()
    }
    return ShownCall(
        method=request.method, url=redactor.redact(request.url), headers=headers, body=_body(request.body, redactor)
    )


def _body(body: str | bytes | None, redactor: Redactor) -> str | None:
    if not body:
        return None
    return redactor.redact(body if isinstance(body, str) else body.decode(errors="replace"))


def _failure(result: Result, redactor: Redactor) -> str | None:
    """What kept the action from calling anything; None when nothing did."""
    if not isinstance(result, Failed):
        return None
    return redactor.redact(": ".join(filter(None, (result.message, result.service_message))))
