"""Fetching an access token with values that somebody is about to save, to see whether they are right."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol
from urllib.parse import urlsplit

from connectory.connector_types.contract import Egress, EgressFailed
from connectory.connector_types.oauth import AccessTokens, ClientCredentials, TokenRefused
from connectory.domain.errors import ConnectoryError
from connectory.gateway.errors import Rejected
from connectory.gateway.oauth_schemas import ClientOptions, JwtOptions
from connectory.infra.assertions import KeyUnusable, signed_assertion
from connectory.infra.clock import Clock

FAILED_TEXT: Final = "Failed to retrieve access token"
NO_HOSTNAME_TEXT: Final = "Token URL must contain hostname"
WRONG_PROTOCOL_TEXT: Final = "Token URL must use http or https"

GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFETIME: Final = timedelta(hours=1)

log = logging.getLogger(__name__)


class Hosts(Protocol):
    """Which hosts may be called: `connectory.infra.egress.AllowedHosts`."""

    def check_url(self, url: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class TokenTests:
    """Nothing is kept: each call asks anew."""

    egress: Egress
    hosts: Hosts
    clock: Clock

    async def client(self, options: ClientOptions) -> str:
        """`<token type> <token>`. Raises `Rejected` (400)."""
        credentials = ClientCredentials(
            token_url=options.token_url,
            client_id=options.config.client_id,
            client_secret=options.secrets.client_secret,
            scope=options.scope,
        )
        return await self._fetch(credentials)

    async def jwt(self, options: JwtOptions) -> str:
        """`<token type> <token>`. Raises `Rejected` (400)."""
        self._check_url(options.token_url)
        credentials = ClientCredentials(
            token_url=options.token_url,
            client_id=options.config.client_id,
            client_secret=options.secrets.client_secret,
            additional_fields=(("grant_type", GRANT), ("assertion", self._assertion(options))),
        )
        return await self._fetch(credentials)

    def _assertion(self, options: JwtOptions) -> str:
        config, secrets, now = options.config, options.secrets, self.clock()
        claims: dict[str, str | int] = {
            "sub": config.user_identifier_value,
            "aud": config.client_id,
            "iss": config.client_id,
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
        }
        try:
            return signed_assertion(
                claims,
                key_id=config.jwt_key_id,
                private_key=secrets.private_key,
                passphrase=secrets.private_key_password,
            )
        except KeyUnusable as error:
            raise _failed(options.token_url, error) from error

    async def _fetch(self, credentials: ClientCredentials) -> str:
        self._check_url(credentials.token_url)
        try:
            return await AccessTokens().header("", credentials, self.egress, self.clock)
        except (TokenRefused, EgressFailed) as error:
            raise _failed(credentials.token_url, error) from error

    def _check_url(self, url: str) -> None:
        refusal = self.hosts.check_url(url)
        if refusal:
            raise Rejected.bad_request(refusal)
        try:
            parts = urlsplit(url)
            hostname = parts.hostname
        except ValueError:
            raise Rejected.bad_request(NO_HOSTNAME_TEXT) from None
        if not hostname:
            raise Rejected.bad_request(NO_HOSTNAME_TEXT)
        if parts.scheme not in ("http", "https"):
            raise Rejected.bad_request(WRONG_PROTOCOL_TEXT)


def _failed(url: str, error: ConnectoryError) -> Rejected:
    """What the endpoint said may hold what it was sent: it is in no answer and in no log."""
    log.info("no access token from %s: %s", urlsplit(url).hostname, error.code)
    return Rejected.bad_request(FAILED_TEXT)
