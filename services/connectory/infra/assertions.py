"""Signed statements about who asks for a token (RFC 7523): JSON Web Tokens with RS256."""

from collections.abc import Mapping

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from connectory.domain.errors import ConnectoryError


class KeyUnusable(ConnectoryError):
    """A private key that is none, that its passphrase does not open, or that is not RSA."""

    code = "key-unusable"


def signed_assertion(
    claims: Mapping[str, str | int], *, key_id: str, private_key: str, passphrase: str | None = None
) -> str:
    """Return the token; `private_key` is PEM. Raises `KeyUnusable`, which does not quote the key."""
    try:
        key = load_pem_private_key(private_key.encode(), passphrase.encode() if passphrase else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(
            "the private key cannot be read: it has to be PEM, with its passphrase if it has one"
        ) from error
    if not isinstance(key, RSAPrivateKey):
        raise KeyUnusable("the private key is not an RSA key")
    return jwt.encode(dict(claims), key, algorithm="RS256", headers={"kid": key_id})
