"""Authentication, headers and TLS that the webhook family of types shares."""

import base64
import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Annotated, Any, Final, Generic, Literal, Self, TypeVar

from pydantic import model_validator

from connectory.connector_types.basic_auth import basic
from connectory.connector_types.contract import (
    ClientCertificate,
    EgressFailed,
    OutgoingRequest,
    Run,
    TypeSettings,
    VerificationMode,
)
from connectory.connector_types.oauth import TokenRefused, client_credentials
from connectory.connector_types.schemas import Absentable, Schema, SecretSchema, Unsaved, about, own_rule
from connectory.connector_types.standard_webhooks import SigningSecrets
from connectory.domain.errors import ConnectoryError

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
"""Tells a target that two attempts are of one request. A header of that name in the config or secrets wins."""

BASIC: Final = "webhook-authentication-basic"
SSL: Final = "webhook-authentication-ssl"
OAUTH2: Final = "webhook-oauth2-client-credentials"
OAUTH2_PASSWORD: Final = "OAuth2Password"
QUERY: Final = "http-authentication-query-param"

WebhookAuthType = Literal[
    "webhook-authentication-basic",
    "webhook-authentication-ssl",
    "webhook-oauth2-client-credentials",
    "OAuth2Password",
]
HttpAuthType = Literal[
    "webhook-authentication-basic",
    "webhook-authentication-ssl",
    "webhook-oauth2-client-credentials",
    "OAuth2Password",
    "http-authentication-query-param",
]
T = TypeVar("T", bound=str)

_SECRET_SCHEMES: Final = (
    frozenset[str](),
    frozenset({"user", "password"}),
    frozenset({"crt", "key"}),
    frozenset({"crt", "key", "password"}),
    frozenset({"pfx"}),
    frozenset({"pfx", "password"}),
    frozenset({"client_secret"}),
)
_SECRET_SCHEMES_TEXT: Final = (
    "must specify one of the following schemas: user and password; crt and key (with optional password); "
    "pfx (with optional password); or clientSecret (for OAuth2)"
)
_WITH_ANY_SCHEME: Final = frozenset({"secret_headers", "secret_query_params", "signing_secrets"})


class AuthConfig(Schema, Generic[T]):
    """`T` says which kinds of authentication a type has."""

    headers: Annotated[dict[str, str] | None, about("Headers", "Sent with every request")] = None
    has_auth: Annotated[bool, about("Authentication", "Whether credentials are sent")] = True
    auth_type: Annotated[Unsaved[T | None], about("Kind of authentication", "Basic unless it is given")] = None
    cert_type: Annotated[Absentable[Literal["ssl-crt-key", "ssl-pfx"]], about("Kind of client certificate")] = None
    ca: Annotated[
        Absentable[str], about("CA", "PEM in base64; replaces the trust store of the system", widget="file")
    ] = None
    verification_mode: Annotated[
        Absentable[VerificationMode],
        about("Verification mode", "`certificate` leaves out the host name, `none` everything"),
    ] = None
    access_token_url: Annotated[Absentable[str], about("Access token URL", "For OAuth 2.0 client credentials")] = None
    client_id: Annotated[Absentable[str], about("Client ID", "For OAuth 2.0 client credentials")] = None
    scope: Annotated[Absentable[str], about("Scope", "For OAuth 2.0 client credentials")] = None
    additional_fields: Annotated[
        str | None, about("Additional fields", "JSON object; sent with the request for a token", widget="json")
    ] = None

    @cached_property
    def ca_pem(self) -> bytes | None:
        """The CA bundle."""
        return None if not self.ca else _lenient_base64(self.ca)

    @cached_property
    def uses_oauth(self) -> bool:
        return self.has_auth and self.auth_type == OAUTH2


class AuthSecrets(SecretSchema):
    user: Annotated[str | None, about("User", shown=True)] = None
    password: Annotated[str | None, about("Password", "Or the passphrase of the key or the PFX")] = None
    crt: Annotated[str | None, about("Certificate", "PEM in base64", widget="file")] = None
    key: Annotated[str | None, about("Key of the certificate", "PEM in base64", widget="file")] = None
    pfx: Annotated[str | None, about("PFX", "In base64", widget="file")] = None
    client_secret: Annotated[str | None, about("Client secret", "For OAuth 2.0 client credentials")] = None
    secret_headers: Annotated[dict[str, str] | None, about("Secret headers", "Sent like headers, never shown")] = None
    signing_secrets: Annotated[
        Absentable[SigningSecrets],
        about("Signing secrets", "Sign requests by Standard Webhooks; while they rotate, by the new one and the old"),
    ] = None

    @cached_property
    def authorization(self) -> str | None:
        """The value of a Basic `Authorization` header; None unless there is both a user and a password."""
        return basic(self.user, self.password) if self.user is not None and self.password is not None else None

    @cached_property
    def secret_header_names(self) -> frozenset[str]:
        return frozenset(name.lower() for name in self.secret_headers or ())

    @cached_property
    def client_certificate(self) -> ClientCertificate | None:
        if self.pfx is None and self.crt is None:
            return None
        return ClientCertificate(
            certificate=_maybe_base64(self.crt),
            key=_maybe_base64(self.key),
            pfx=_maybe_base64(self.pfx),
            passphrase=self.password,
        )

    @model_validator(mode="after")
    def _one_scheme(self) -> Self:
        given = {name for name in type(self).model_fields if getattr(self, name) is not None}
        if given - _WITH_ANY_SCHEME not in _SECRET_SCHEMES:
            raise own_rule(_SECRET_SCHEMES_TEXT)
        return self


def problem_with(url: str, config: AuthConfig[Any], settings: TypeSettings) -> str | None:
    """Return the first thing wrong with a config that fits its schema, in the order that clients know."""
    return _problem_with_url(url, settings) or _problem_with_auth(config, settings)


def _problem_with_url(url: str, settings: TypeSettings) -> str | None:
    if not settings.hosts.parses(url):
        return "unable to parse url: TypeError: Invalid URL"
    return settings.hosts.check_url(url)


def _problem_with_auth(config: AuthConfig[Any], settings: TypeSettings) -> str | None:
    if config.auth_type is not None and not config.has_auth:
        return "authType must be null or undefined if hasAuth is false"
    if config.cert_type == "ssl-pfx" and not settings.webhook_pfx_enabled:
        return 'certType "ssl-pfx" is disabled'
    if config.additional_fields is not None and not _is_filled_object(config.additional_fields):
        return "additionalFields must be a non-empty JSON object."
    match config.auth_type:
        case "OAuth2Password":
            return "OAuth2 password grant authentication is not supported"
        case "webhook-oauth2-client-credentials":
            return _problem_with_oauth(config, settings)
        case _:
            return None


def _problem_with_oauth(config: AuthConfig[Any], settings: TypeSettings) -> str | None:
    needed = {"Access Token URL (accessTokenUrl)": config.access_token_url, "Client ID (clientId)": config.client_id}
    if missing := [name for name, value in needed.items() if not value]:
        return f"missing {', '.join(missing)} fields"
    return _problem_with_url(config.access_token_url or "", settings)


def _is_filled_object(text: str) -> bool:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and bool(value)


class SetUpFailed(ConnectoryError):
    """No call was made: the credentials for it could not be had. `cause` is what stood in the way, where there is one.

    The text never quotes a secret of ours; what a token endpoint said is redacted like any answer.
    """

    code = "auth-set-up-failed"

    def __init__(self, message: str, cause: EgressFailed | TokenRefused | None = None) -> None:
        super().__init__(message)
        self.cause = cause


C = TypeVar("C", bound=AuthConfig[Any])
S = TypeVar("S", bound=AuthSecrets)


def headers_of(
    config: AuthConfig[Any],
    secrets: AuthSecrets,
    access_token: str | None,
    param_headers: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The headers of a call, each over those before whatever its case: config, params, secret ones, `Authorization`.

    With an access token the secret ones are left out.
    """
    headers = dict(config.headers or {})
    for name, value in (param_headers or {}).items():
        set_header(headers, name, value)
    if access_token is not None:
        set_header(headers, "Authorization", access_token)
        return headers
    for name, value in (secrets.secret_headers or {}).items():
        set_header(headers, name, value)
    if config.has_auth and secrets.authorization is not None and config.auth_type in (None, BASIC):
        set_header(headers, "Authorization", secrets.authorization)
    return headers


async def access_token_of(run: Run[C, S, Any]) -> str:
    """What a connector that uses OAuth 2.0 proves itself by; raise `SetUpFailed`."""
    config = run.config
    credentials = client_credentials(
        token_url=config.access_token_url,
        client_id=config.client_id,
        client_secret=run.secrets.client_secret,
        scope=config.scope,
        additional_fields=json.loads(config.additional_fields) if config.additional_fields else None,
    )
    if credentials is None:
        raise SetUpFailed("Unable to retrieve new access token")
    try:
        return await run.tokens.header(run.connector_id, credentials, run.egress, run.now)
    except (EgressFailed, TokenRefused) as error:
        raise SetUpFailed(f"Unable to retrieve/refresh the access token: {error.message}", error) from error


def with_tls(request: OutgoingRequest, config: AuthConfig[Any], secrets: AuthSecrets) -> OutgoingRequest:
    """Give the request the trust and the certificate that the connector has; with OAuth 2.0 it has neither."""
    if not config.uses_oauth:
        request.verification_mode = config.verification_mode
        request.ca_pem = config.ca_pem
        if config.has_auth and config.auth_type == SSL:
            request.client_certificate = secrets.client_certificate
    return request


def _maybe_base64(text: str | None) -> bytes | None:
    return None if text is None else _lenient_base64(text)


def _lenient_base64(text: str) -> bytes:
    """Read as leniently as Node reads base64: what makes no sense shows when it is used."""
    try:
        return base64.b64decode(text + "==")
    except ValueError:
        return b""


def set_header(headers: dict[str, str], name: str, value: str) -> None:
    lowered = name.lower()
    for same in [given for given in headers if given.lower() == lowered]:
        del headers[same]
    headers[name] = value


def has_header(headers: Iterable[str], name: str) -> bool:
    return name.lower() in map(str.lower, headers)
