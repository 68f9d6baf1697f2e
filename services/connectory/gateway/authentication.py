"""Who is calling: the `Authorization` header, read and checked."""

import base64
from typing import Final, Protocol

from connectory.domain.principal import Principal
from connectory.domain.privileges import EVERY_PRIVILEGE

CHALLENGE: Final = 'Basic realm="security", charset="UTF-8"'

NOBODY: Final = Principal("")
"""A caller without valid credentials, on the routes that answer one."""

ANYBODY: Final = Principal("anonymous", frozenset({"superuser"}), EVERY_PRIVILEGE)
"""Every caller while security is switched off."""


class Credentials(Protocol):
    """What checks a user's password: `connectory.infra.security.Authenticator`."""

    async def basic(self, user: str, password: str) -> Principal | None: ...


async def authenticate(header: str | None, credentials: Credentials | None) -> Principal:
    """Return the caller, `NOBODY` without valid credentials. No `credentials` means: security is switched off."""
    if credentials is None:
        return ANYBODY
    pair = _basic_pair(header or "")
    principal = await credentials.basic(*pair) if pair else None
    return principal or NOBODY


def _basic_pair(header: str) -> tuple[str, str] | None:
    """User and password of a `Basic` header (RFC 7617, UTF-8); None for any other header."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:  # not base64, or not UTF-8
        return None
    return (user, password) if colon else None
