"""Who is calling: the `Authorization` header, read and checked, by the scheme that it names."""

import base64
from dataclasses import dataclass
from typing import Final, Protocol

from connectory.domain.principal import Owner, Principal
from connectory.domain.privileges import EVERY_PRIVILEGE, Privileges
from connectory.gateway.api_key_directory import ApiKeyDirectory
from connectory.gateway.api_keys import Roles, is_secret_of
from connectory.infra.clock import Clock

CHALLENGE: Final = 'Basic realm="security", charset="UTF-8"'

NOBODY: Final = Principal("")
"""A caller without valid credentials, on the routes that answer one."""

ANYBODY: Final = Principal("anonymous", frozenset({"superuser"}), EVERY_PRIVILEGE)
"""Every caller while security is switched off."""


class Credentials(Roles, Protocol):
    """Users, their roles, and whoever the identity provider vouches for: `infra.security.Authenticator`."""

    async def basic(self, user: str, password: str) -> Principal | None:
        """None when they are wrong. Raises `TooManyLogins`."""
        ...

    async def bearer(self, token: str) -> Principal | None:
        """None for a token that is not valid here and now. Raises `Unavailable`."""
        ...

    def privileges_now(self, owner: Owner, last_roles: tuple[str, ...]) -> Privileges | None:
        """What somebody holds now; None when there is no such user any more. `last_roles` are for those who have their
        roles from tokens, of which the last is all that is known."""
        ...


class Identification(Protocol):
    async def caller(self, header: str | None) -> Principal:
        """Return the caller, `NOBODY` without valid credentials. Raises `Unavailable` and `TooManyLogins`."""
        ...


@dataclass(frozen=True, slots=True)
class ByCredentials:
    """Checks whatever the caller gives."""

    credentials: Credentials
    keys: ApiKeyDirectory
    clock: Clock

    async def caller(self, header: str | None) -> Principal:
        scheme, _, given = (header or "").partition(" ")
        return await self._checked(scheme.lower(), given.strip()) or NOBODY

    async def _checked(self, scheme: str, given: str) -> Principal | None:
        match scheme:
            case "basic":
                pair = _pair(given)
                return await self.credentials.basic(*pair) if pair else None
            case "apikey":
                pair = _pair(given)
                return await self._with_key(*pair) if pair else None
            case "bearer":
                return await self.credentials.bearer(given) if given else None
            case _:
                return None

    async def _with_key(self, key_id: str, secret: str) -> Principal | None:
        """What the owner holds is looked up each time: a key never outlives it."""
        key = await self.keys.get(key_id)
        if key is None or not is_secret_of(key, secret) or not key.is_valid_at(self.clock()):
            return None
        owner_now = self.credentials.privileges_now(key.owner, key.owner_roles)
        if owner_now is None:
            return None
        return Principal(
            name=key.owner.name,
            roles=frozenset(key.owner_roles),
            privileges=key.worth(owner_now),
            scheme="apikey",
            realm=key.owner.realm,
            api_key_id=key.key_id,
            api_key_name=key.name,
        )


class Anyone:
    """While security is switched off nobody is asked."""

    async def caller(self, header: str | None) -> Principal:
        return ANYBODY


def _pair(encoded: str) -> tuple[str, str] | None:
    """The two texts around the colon (RFC 7617, UTF-8); None for anything else."""
    try:
        first, colon, second = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:  # not base64, or not UTF-8
        return None
    return (first, second) if colon else None
