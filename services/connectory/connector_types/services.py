"""The system behind a connector, as a sub-action calls it: URLs judged, JSON sent and read, failures worded."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, ValidationError

from connectory.connector_types.contract import (
    EgressFailed,
    EgressRefused,
    OutgoingRequest,
    OutgoingResponse,
    Run,
    RunFailed,
    VerificationMode,
)
from connectory.connector_types.json_text import compact, parsed_or_text
from connectory.connector_types.outgoing import ClientCertificate
from connectory.connector_types.retry_after import retry_at
from connectory.connector_types.schema_texts import detail
from connectory.domain.execution import ErrorSource, TokenUsage
from connectory.domain.json_types import Json
from connectory.domain.retry import DECLINED_STATUSES

C = TypeVar("C", bound=BaseModel)
S = TypeVar("S", bound=BaseModel)
A = TypeVar("A", bound=BaseModel)

_SLASHES: Final = re.compile(r"([^:]/)/+")
_WITHOUT_BODY: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpFailure:
    """A call without a 2xx answer. `status` None: without any; then `error_code` is that of `EgressFailed`.

    `body` is the parsed JSON of the answer, or its text; `message` is what the client says of it.
    """

    status: int | None
    reason: str
    body: Json
    message: str
    error_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """What a connector wants of TLS, besides what the operator's settings say."""

    verification_mode: VerificationMode | None = None
    ca_pem: bytes | None = None
    client_certificate: ClientCertificate | None = None


DEFAULT_TLS: Final = Tls()


@dataclass(slots=True, kw_only=True)
class Service(Generic[C, S]):
    """What a sub-action is given. Not frozen: it counts the bytes of the bodies that it has sent, and keeps what a
    sub-action says of the tokens that were used.
    """

    run: Run[C, S, Any]
    describe: Callable[[HttpFailure], str]
    blame: Callable[[HttpFailure], ErrorSource]
    tls: Tls = field(default=DEFAULT_TLS)
    sent_bytes: int = 0
    token_usage: TokenUsage | None = None

    @property
    def config(self) -> C:
        return self.run.config

    @property
    def secrets(self) -> S:
        return self.run.secrets

    async def request(
        self,
        method: str,
        url: str,
        answer: type[A],
        *,
        data: Json = None,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        secret_headers: frozenset[str] = frozenset(),
        timeout_ms: int | None = None,
    ) -> A:
        """Call, and return the answer's JSON as checked by its schema.

        `data` is sent as JSON, a text as it is. Raises `RunFailed`, or `EgressRefused` when the call is not allowed.
        """
        response = await self.send(
            method, url, data=data, query=query, headers=headers, secret_headers=secret_headers, timeout_ms=timeout_ms
        )
        return checked_answer(response, answer)

    async def send(
        self,
        method: str,
        url: str,
        *,
        data: Json = None,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        secret_headers: frozenset[str] = frozenset(),
        timeout_ms: int | None = None,
    ) -> OutgoingResponse:
        """The same for an answer that is read by the sub-action itself."""
        self._require_allowed(url)
        body = _body(method, data)
        self.sent_bytes += len(body or b"")
        request = OutgoingRequest(
            method=method,
            url=_with_query(normalised(url), query),
            headers=_typed(headers or {}),
            secret_headers=secret_headers,
            body=body,
            timeout_ms=timeout_ms,
            verification_mode=self.tls.verification_mode,
            ca_pem=self.tls.ca_pem,
            client_certificate=self.tls.client_certificate,
        )
        try:
            response = await self.run.egress.send(request)
        except EgressFailed as failure:
            raise self._no_response(failure) from failure
        if not 200 <= response.status < 300:
            raise self._refused(response)
        return response

    def _require_allowed(self, url: str) -> None:
        hosts = self.run.settings.hosts
        protocol = hosts.protocol_of(url)
        if protocol is None:
            raise RunFailed("URL Error: Invalid URL")
        if protocol not in ("http:", "https:"):
            raise RunFailed("URL Error: Invalid protocol")
        if not hosts.hostname_of(url):
            raise RunFailed("URL Error: URL must contain hostname")
        if problem := hosts.check_url(url):
            raise EgressRefused(f"error configuring connector action: {problem}")

    def _no_response(self, failure: EgressFailed) -> RunFailed | EgressRefused:
        described = HttpFailure(
            status=None, reason="", body=None, message=failure.message, error_code=failure.error_code
        )
        text = f"Status code: undefined. Message: {self.describe(described)}"
        if isinstance(failure, EgressRefused):
            return EgressRefused(text)
        return RunFailed(text, self.blame(described), undelivered=failure.undelivered)

    def _refused(self, response: OutgoingResponse) -> RunFailed:
        failure = failure_of(response)
        return RunFailed(
            f"Status code: {failure.status}. Message: {self.describe(failure)}",
            self.blame(failure),
            status=response.status,
            undelivered=response.status in DECLINED_STATUSES,
            retry_after=retry_at(response.headers.get("retry-after"), self.run.now()),
        )


def failure_of(response: OutgoingResponse) -> HttpFailure:
    return HttpFailure(
        status=response.status,
        reason=response.reason,
        body=parsed_or_text(response.body),
        message=f"Request failed with status code {response.status}",
    )


def checked_answer(response: OutgoingResponse, schema: type[A]) -> A:
    """Raise `RunFailed` when the answer does not fit. One without a body counts as `{}`."""
    value = parsed_or_text(response.body) if response.body else {}
    try:
        return schema.model_validate(value)
    except ValidationError as error:
        raise RunFailed(f"Response validation failed ({detail(error, schema)})") from None


def normalised(url: str) -> str:
    """Without one slash at the end, and with runs of slashes after the scheme made one."""
    return _SLASHES.sub(r"\1", url.removesuffix("/"))


def _with_query(url: str, query: Mapping[str, str | int] | None) -> str:
    return url + ("&" if "?" in url else "?") + urlencode(query) if query else url


def _typed(headers: Mapping[str, str]) -> Mapping[str, str]:
    if any(name.lower() == "content-type" for name in headers):
        return headers
    return {"Content-Type": "application/json", **headers}


def _body(method: str, data: Json) -> bytes | None:
    """Empty data is an empty object, but for methods by which a body means nothing."""
    if not data and method in _WITHOUT_BODY:
        return None
    text = data if isinstance(data, str) and data else compact(data or {})
    return text.encode(errors="replace")


def answer_json(answer: BaseModel) -> Json:
    """A checked answer as it was: nothing added that the service did not say."""
    answered: Json = answer.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return answered
