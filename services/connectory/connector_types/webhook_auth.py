"""Authentication, headers and TLS that the webhook family of types shares."""

import base64
import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final, Literal, Self

from pydantic import model_validator

from connectory.connector_types.basic_auth import basic
from connectory.connector_types.contract import TypeSettings, VerificationMode
from connectory.connector_types.schemas import Absentable, Schema, SecretSchema, Unsaved, own_rule

AuthType = Literal[
    "webhook-authentication-basic",
    "webhook-authentication-ssl",
    "webhook-oauth2-client-credentials",
    "OAuth2Password",
]

_NOT_YET_SUPPORTED: Final[Mapping[AuthType, str]] = {
    "webhook-authentication-ssl": "SSL client certificate authentication is not supported yet",
    "webhook-oauth2-client-credentials": "OAuth2 client credentials authentication is not supported yet",
    "OAuth2Password": "OAuth2 password grant authentication is not supported",
}
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


class AuthConfig(Schema):
    headers: dict[str, str] | None = None
    has_auth: bool = True
    auth_type: Unsaved[AuthType | None] = None
    cert_type: Absentable[Literal["ssl-crt-key", "ssl-pfx"]] = None
    ca: Absentable[str] = None
    verification_mode: Absentable[VerificationMode] = None
    access_token_url: Absentable[str] = None
    client_id: Absentable[str] = None
    scope: Absentable[str] = None
    additional_fields: str | None = None

    @cached_property
    def ca_pem(self) -> bytes | None:
        """The CA bundle, read as leniently as Node reads base64: what makes no sense shows when it is used."""
        if not self.ca:
            return None
        try:
            return base64.b64decode(self.ca + "==")
        except ValueError:
            return b""


class AuthSecrets(SecretSchema):
    user: str | None = None
    password: str | None = None
    crt: str | None = None
    key: str | None = None
    pfx: str | None = None
    client_secret: str | None = None
    secret_headers: dict[str, str] | None = None

    @cached_property
    def authorization(self) -> str | None:
        """The value of a Basic `Authorization` header; None unless there is both a user and a password."""
        return basic(self.user, self.password) if self.user is not None and self.password is not None else None

    @cached_property
    def secret_header_names(self) -> frozenset[str]:
        return frozenset(name.lower() for name in self.secret_headers or ())

    @model_validator(mode="after")
    def _one_scheme(self) -> Self:
        given = {name for name in type(self).model_fields if getattr(self, name) is not None}
        if given - {"secret_headers"} not in _SECRET_SCHEMES:
            raise own_rule(_SECRET_SCHEMES_TEXT)
        return self


def problem_with(url: str, config: AuthConfig, settings: TypeSettings) -> str | None:
    """Return the first thing wrong with a config that fits its schema, in the order that clients know."""
    if not settings.hosts.parses(url):
        return "unable to parse url: TypeError: Invalid URL"
    return settings.hosts.check_url(url) or _problem_with_auth(config, settings)


def _problem_with_auth(config: AuthConfig, settings: TypeSettings) -> str | None:
    if config.auth_type is not None and not config.has_auth:
        return "authType must be null or undefined if hasAuth is false"
    if config.cert_type == "ssl-pfx" and not settings.webhook_pfx_enabled:
        return 'certType "ssl-pfx" is disabled'
    if config.additional_fields is not None and not _is_filled_object(config.additional_fields):
        return "additionalFields must be a non-empty JSON object."
    return _NOT_YET_SUPPORTED.get(config.auth_type) if config.auth_type else None


def _is_filled_object(text: str) -> bool:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and bool(value)


def headers_of(config: AuthConfig, secrets: AuthSecrets) -> dict[str, str]:
    """Config headers, secret headers over them whatever their case, then `Authorization` over both."""
    headers = dict(config.headers or {})
    for name, value in (secrets.secret_headers or {}).items():
        set_header(headers, name, value)
    if config.has_auth and secrets.authorization is not None:
        set_header(headers, "Authorization", secrets.authorization)
    return headers


def set_header(headers: dict[str, str], name: str, value: str) -> None:
    lowered = name.lower()
    for same in [given for given in headers if given.lower() == lowered]:
        del headers[same]
    headers[name] = value


def has_header(headers: Iterable[str], name: str) -> bool:
    return name.lower() in map(str.lower, headers)
