"""Tokens of an identity provider: JSON Web Tokens as OpenID Connect has them, checked by the provider's public keys.

Keys come from a JWKS document. They are fetched when a token names one that is not known, but not more often than the
floor allows: strangers choose what their tokens name. While the provider is away the keys that are known still serve.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeAlias

import jwt
from aiohttp import ClientError, ClientSession, ClientTimeout

from connectory.domain.errors import SettingsInvalid, Unavailable
from connectory.infra.settings.security import SecuritySettings

FLOOR_SECONDS: Final = 30.0
"""Least time between two attempts to fetch the keys."""

FRESH_SECONDS: Final = 600.0
"""After which keys are fetched again although all are known: one may have been withdrawn."""

FETCH_SECONDS: Final = 5.0
LARGEST_DOCUMENT: Final = 1 << 20
LONGEST_NAME: Final = 256
MOST_ROLES: Final = 1000

Fetch: TypeAlias = Callable[[], Awaitable[bytes]]
Jwk: TypeAlias = Mapping[str, Any]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What a token must be like, and where it says who its bearer is."""

    issuer: str
    audience: str
    algorithms: Sequence[str] = ("RS256", "ES256")
    clock_skew: timedelta = timedelta(seconds=60)
    username_claim: str = "sub"
    roles_claim: str = "roles"


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a valid token speaks for."""

    name: str
    roles: frozenset[str]


class SigningKeys:
    """The provider's keys by id, fetched as they are needed. `clock` gives seconds."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: Sequence[Jwk] = ()
        self._known = False
        self._tried_at = float("-inf")
        self._fetching = asyncio.Lock()

    async def find(self, key_id: str | None, algorithm: str) -> Jwk | None:
        """The key of a token; None when there is none. Raises `Unavailable` while no keys were fetched at all."""
        key = self._among_known(key_id, algorithm)
        if key is None or self._age() > FRESH_SECONDS:
            await self._refresh()
            key = self._among_known(key_id, algorithm)
        if not self._known:
            raise Unavailable("the keys of the identity provider could not be fetched yet")
        return key

    def _among_known(self, key_id: str | None, algorithm: str) -> Jwk | None:
        """A token without a key id is for a provider with one key."""
        fitting = [key for key in self._keys if _is_for(key, key_id, algorithm)]
        return fitting[0] if len(fitting) == 1 or (fitting and key_id is not None) else None

    def _age(self) -> float:
        return self._clock() - self._tried_at

    async def _refresh(self) -> None:
        async with self._fetching:
            if self._age() < FLOOR_SECONDS:
                return
            self._tried_at = self._clock()
            try:
                async with asyncio.timeout(FETCH_SECONDS):
                    self._keys = read_jwks(await self._fetch())
            except (ClientError, OSError, TimeoutError, ValueError) as error:
                log.warning(
                    "the keys of the identity provider cannot be fetched: %s", str(error) or type(error).__name__
                )
            else:
                self._known = True


class TokenVerifier:
    def __init__(self, rules: TokenRules, keys: SigningKeys) -> None:
        self._rules = rules
        self._keys = keys

    async def bearer(self, token: str) -> Bearer | None:
        """None for a token that is not valid here and now. Raises `Unavailable` while no keys are known."""
        try:
            header = jwt.get_unverified_header(token)
            algorithm, key_id = str(header.get("alg")), header.get("kid")
            if algorithm not in self._rules.algorithms:
                return None
            key = await self._keys.find(key_id, algorithm)
            return None if key is None else self._bearer_of(self._claims(token, key, algorithm))
        except jwt.PyJWTError as error:
            log.info("a token was refused: %s", error)
            return None

    def _claims(self, token: str, key: Jwk, algorithm: str) -> Mapping[str, Any]:
        claims: Mapping[str, Any] = jwt.decode(
            token,
            jwt.PyJWK(dict(key), algorithm=algorithm),
            algorithms=[algorithm],
            audience=self._rules.audience,
            issuer=self._rules.issuer,
            leeway=self._rules.clock_skew,
            options={"require": ["exp", "iss", "aud"]},
        )
        return claims

    def _bearer_of(self, claims: Mapping[str, Any]) -> Bearer | None:
        name = _claim(claims, self._rules.username_claim)
        if not (isinstance(name, str) and 0 < len(name) <= LONGEST_NAME):
            return None
        return Bearer(name, frozenset(_texts(_claim(claims, self._rules.roles_claim))))


def read_jwks(document: bytes) -> Sequence[Jwk]:
    """The keys that sign. Raises ValueError for what is no JWKS document."""
    match json.loads(document):
        case {"keys": [*keys]}:
            return [key for key in keys if isinstance(key, dict) and key.get("use") in (None, "sig")]
        case _:
            raise ValueError("not a JWKS document: it has no list of keys")


def token_verifier(settings: SecuritySettings) -> TokenVerifier | None:
    """The verifier of the settings; None when no identity provider is set. Raises `SettingsInvalid`."""
    rules = token_rules(settings)
    if rules is None or settings.oidc_jwks is None:
        return None
    return TokenVerifier(rules, SigningKeys(_source(settings.oidc_jwks)))


def token_rules(settings: SecuritySettings) -> TokenRules | None:
    """None when no identity provider is set."""
    if settings.oidc_issuer is None or settings.oidc_audience is None:
        return None
    return TokenRules(
        issuer=settings.oidc_issuer,
        audience=settings.oidc_audience,
        algorithms=settings.oidc_algorithms,
        clock_skew=settings.oidc_clock_skew,
        username_claim=settings.oidc_username_claim,
        roles_claim=settings.oidc_roles_claim,
    )


def _source(jwks: str) -> Fetch:
    """A URL, or else a file, which must be readable now: a mistake in it is one in the settings."""
    if jwks.startswith(("http://", "https://")):
        return lambda: _download(jwks)
    path = Path(jwks)
    try:
        read_jwks(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsInvalid(
            f"[connectory.security.oidc.jwks]: {path} cannot be read as a JWKS document: {error}"
        ) from None
    return lambda: asyncio.to_thread(path.read_bytes)


async def _download(url: str) -> bytes:
    timeout = ClientTimeout(total=FETCH_SECONDS)
    async with ClientSession(timeout=timeout) as session, session.get(url, raise_for_status=True) as response:
        document = await response.content.read(LARGEST_DOCUMENT + 1)
        while len(document) <= LARGEST_DOCUMENT and (more := await response.content.read(LARGEST_DOCUMENT)):
            document += more
    if len(document) > LARGEST_DOCUMENT:
        raise ValueError(f"the JWKS document is larger than {LARGEST_DOCUMENT} bytes")
    return document


def _is_for(key: Jwk, key_id: str | None, algorithm: str) -> bool:
    """A key may say which algorithm it is for; what type it takes is for the library to check."""
    return (key_id is None or key.get("kid") == key_id) and key.get("alg") in (None, algorithm)


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """By its name, or by a path with dots: `realm_access.roles`."""
    if name in claims:
        return claims[name]
    value: Any = claims
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _texts(value: Any) -> Iterator[str]:
    """One text, or a list of them; anything else is no role."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (each for each in value[:MOST_ROLES] if isinstance(each, str))
