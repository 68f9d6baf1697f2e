"""Tokens of an identity provider: which are taken, and where the keys to them come from."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from connectory.domain.errors import SettingsInvalid, Unavailable
from connectory.infra.oidc import (
    FLOOR_SECONDS,
    FRESH_SECONDS,
    Bearer,
    SigningKeys,
    TokenRules,
    TokenVerifier,
    token_rules,
    token_verifier,
)
from connectory.infra.settings import SecuritySettings, load_settings

ISSUER, AUDIENCE = "https://login.example", "connectory"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
RULES = TokenRules(ISSUER, AUDIENCE)


def rsa_jwk(key: rsa.RSAPrivateKey = RSA_KEY, **changes: Any) -> dict[str, Any]:
    return {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": "r1", **changes}


def ec_jwk(**changes: str) -> dict[str, Any]:
    return {**ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True), "kid": "e1", **changes}


def token(
    key: Any = RSA_KEY, algorithm: str = "RS256", kid: str | None = "r1", expires_in: float = 300, **changes: Any
) -> str:
    expires_at = datetime.now(UTC) + timedelta(seconds=expires_in)
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "roles": ["ops"], "exp": expires_at, **changes}
    headers = {} if kid is None else {"kid": kid}
    told = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(told, key, algorithm=algorithm, headers=headers)


class Provider:
    """Hands out the keys, and counts how often."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys: Sequence[dict[str, Any]] = keys
        self.fetched = 0
        self.is_away = False

    async def __call__(self) -> bytes:
        self.fetched += 1
        if self.is_away:
            raise ConnectionRefusedError("connection refused")
        return json.dumps({"keys": self.keys}).encode()


def verifier(*keys: dict[str, Any], rules: TokenRules = RULES) -> TokenVerifier:
    return TokenVerifier(rules, SigningKeys(Provider(*keys)))


def in_seconds(count: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=count)


# Tokens are made by the test itself: those that were made when the tests were collected would have come to their end.
@pytest.mark.parametrize(
    "make",
    [
        token,
        lambda: token(EC_KEY, "ES256", "e1"),
        lambda: token(aud=["other", AUDIENCE]),
        lambda: token(expires_in=-30),
        lambda: token(nbf=in_seconds(30)),
    ],
)
async def test_a_valid_token_speaks_for_its_bearer(make: Callable[[], str]) -> None:
    assert await verifier(rsa_jwk(), ec_jwk()).bearer(make()) == Bearer("ann", frozenset({"ops"}))


HMAC_KEY = b"public key that everybody knows, as long as it takes"
REFUSED: dict[str, Callable[[], str]] = {
    "expired": lambda: token(expires_in=-90),
    "not valid yet": lambda: token(nbf=in_seconds(90)),
    "of another issuer": lambda: token(iss="https://elsewhere.example"),
    "for another audience": lambda: token(aud="other"),
    "without an audience": lambda: token(aud=None),
    "without an end": lambda: token(exp=None),
    "without a name": lambda: token(sub=None),
    "with an empty name": lambda: token(sub=""),
    "signed by another key": lambda: token(OTHER_RSA_KEY),
    "with an unknown key": lambda: token(kid="r2"),
    "with a broken header": lambda: token().replace(".", "x.", 1),
    "by an algorithm that is not allowed": lambda: token(algorithm="RS512"),
    "that is not signed": lambda: token(None, "none"),
    "signed by HMAC with the public key": lambda: token(HMAC_KEY, "HS256"),
    "by one algorithm with the key of another": lambda: token(EC_KEY, "ES256", "r1"),
    "that is none": lambda: "token",
    "that is empty inside": lambda: "..",
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED.keys())
async def test_a_token_is_refused(make: Callable[[], str]) -> None:
    assert await verifier(rsa_jwk(), ec_jwk()).bearer(make()) is None


async def test_a_secret_key_among_the_keys_verifies_nothing() -> None:
    secret = {"kty": "oct", "k": "c2VjcmV0IHRoYXQgZXZlcnlib2R5IGtub3dzLCBhcyBsb25n", "kid": "r1"}
    assert await verifier(secret).bearer(token()) is None


@pytest.mark.parametrize("changes", [{"use": "enc"}, {"alg": "RS512"}])
async def test_a_key_is_used_for_nothing_but_what_it_is_for(changes: dict[str, Any]) -> None:
    assert await verifier(rsa_jwk(**changes)).bearer(token()) is None


async def test_without_a_key_id_the_only_key_that_fits_is_taken_and_never_one_of_two() -> None:
    given = token(kid=None)
    assert await verifier(rsa_jwk()).bearer(given) is not None
    assert await verifier(rsa_jwk(), rsa_jwk(OTHER_RSA_KEY, kid="r2")).bearer(given) is None


@pytest.mark.parametrize(
    ("claims", "roles"),
    [
        ({"realm_access": {"roles": ["a", "b", 3]}}, {"a", "b"}),
        ({"realm_access.roles": "a"}, {"a"}),
        ({"realm_access": "a"}, set()),
        ({}, set()),
    ],
)
async def test_roles_are_found_inside_of_objects(claims: dict[str, Any], roles: set[str]) -> None:
    rules = TokenRules(ISSUER, AUDIENCE, username_claim="email", roles_claim="realm_access.roles")
    bearer = await verifier(rsa_jwk(), rules=rules).bearer(token(email="ann@example", **claims))
    assert bearer == Bearer("ann@example", frozenset(roles))


async def test_keys_are_fetched_once_and_again_for_an_unknown_one_but_not_more_often_than_the_floor() -> None:
    now, provider = 0.0, Provider(rsa_jwk())
    keys = SigningKeys(provider, clock=lambda: now)
    for key_id in ("r1", "r1", "r2", "r3"):
        await keys.find(key_id, "RS256")
    assert provider.fetched == 1
    provider.keys = [rsa_jwk(kid="r2")]
    now = FLOOR_SECONDS
    assert await keys.find("r2", "RS256") is not None
    assert await keys.find("r1", "RS256") is None
    assert provider.fetched == 2


async def test_what_is_known_serves_while_the_provider_is_away() -> None:
    now, provider = 0.0, Provider(rsa_jwk())
    keys = SigningKeys(provider, clock=lambda: now)
    await keys.find("r1", "RS256")
    provider.is_away = True
    now = FRESH_SECONDS + 1
    assert await keys.find("r1", "RS256") is not None
    assert provider.fetched == 2


async def test_a_withdrawn_key_is_forgotten_in_time() -> None:
    now, provider = 0.0, Provider(rsa_jwk())
    keys = SigningKeys(provider, clock=lambda: now)
    await keys.find("r1", "RS256")
    provider.keys = [rsa_jwk(kid="r2")]
    now = FRESH_SECONDS + 1
    assert await keys.find("r1", "RS256") is None


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"keys": 1}', b"\xff"])
async def test_before_any_keys_are_known_nobody_can_tell_whether_a_token_is_valid(document: bytes) -> None:
    async def fetch() -> bytes:
        return document

    with pytest.raises(Unavailable):
        await TokenVerifier(RULES, SigningKeys(fetch)).bearer(token())


def oidc(jwks: str) -> SecuritySettings:
    settings = {"oidc_issuer": ISSUER, "oidc_audience": AUDIENCE, "oidc_jwks": jwks}
    return SecuritySettings().model_copy(update=settings)


async def test_keys_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [rsa_jwk()]}))
    made = token_verifier(oidc(str(file)))
    assert made is not None
    assert await made.bearer(token()) is not None


def test_a_file_that_holds_no_keys_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"\[connectory.security.oidc.jwks\]: .* cannot be read"):
        token_verifier(oidc(str(tmp_path / "none.json")))


async def test_keys_come_from_a_url() -> None:
    async def serve(_request: web.Request) -> web.Response:
        return web.json_response({"keys": [rsa_jwk()]})

    app = web.Application()
    app.router.add_get("/jwks", serve)
    async with TestServer(app) as server:
        made = token_verifier(oidc(str(server.make_url("/jwks"))))
        assert made is not None
        assert await made.bearer(token()) is not None


def test_without_an_issuer_there_is_no_provider() -> None:
    assert token_verifier(SecuritySettings()) is None


@pytest.mark.parametrize("algorithm", ["none", "HS256", "rs256"])
def test_algorithms_without_public_keys_cannot_be_allowed(algorithm: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"security\.oidc\.algorithms\.0\]: expected value to equal one of"):
        load_settings({"connectory.security.oidc.algorithms": [algorithm]}, environ={})


@pytest.mark.parametrize("told", ["issuer", "audience", "jwks"])
def test_what_is_told_of_a_provider_must_be_enough(told: str) -> None:
    with pytest.raises(SettingsInvalid, match="issuer, audience and jwks are needed together"):
        load_settings({f"connectory.security.oidc.{told}": "x"}, environ={})


def test_the_settings_of_a_provider_are_those_of_the_verifier() -> None:
    told = {
        "issuer": "https://a",
        "audience": "b",
        "jwks": "https://a/keys",
        "clockSkew": "30s",
        "algorithms": ["EdDSA"],
    }
    security = load_settings({f"connectory.security.oidc.{name}": value for name, value in told.items()}, environ={})

    rules = TokenRules("https://a", "b", ("EdDSA",), timedelta(seconds=30))
    assert token_rules(security.security) == rules
