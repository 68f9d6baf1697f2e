"""What is done with API keys: make one, list them, revoke one. Independent of HTTP.

The secret part has 256 random bits, so a plain hash is enough to keep it by: it cannot be guessed, and what is slow on
purpose for passwords would only slow down every request. It is shown to its maker once.
"""

import base64
import hashlib
import hmac
import secrets as randomness
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from connectory.domain.api_keys import ApiKey
from connectory.domain.errors import Refused
from connectory.domain.principal import Principal
from connectory.domain.privileges import Privileges
from connectory.gateway.api_key_directory import PARTITION, ApiKeyDirectory
from connectory.gateway.origin import NewId
from connectory.infra.clock import Clock
from connectory.infra.log import Writer
from connectory.infra.messages import Messages
from connectory.infra.topics import API_KEYS

MOST_KEYS: Final = 1000
"""Keys of one owner. Every gateway has all keys in memory, and any user can make some."""

TOO_MANY_TEXT: Final = f"You have {MOST_KEYS} API keys, the most there may be: revoke some first"

SECRET_BYTES: Final = 32


class Roles(Protocol):
    """The roles that there are."""

    def privileges_of(self, role: str) -> Privileges | None:
        """What a role gives; None when there is none of that name."""
        ...


class NoRoles:
    """While security is switched off there are none."""

    def privileges_of(self, role: str) -> Privileges | None:
        return None


NO_ROLES: Final = NoRoles()


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made, with what nobody will see again."""

    key: ApiKey
    secret: str

    @property
    def encoded(self) -> str:
        """As it is sent: `Authorization: ApiKey <encoded>`."""
        return base64.b64encode(f"{self.key.key_id}:{self.secret}".encode()).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyDesk:
    directory: ApiKeyDirectory
    messages: Messages
    writer: Writer
    clock: Clock
    new_id: NewId

    async def make(
        self,
        owner: Principal,
        name: str,
        lifetime: timedelta | None,
        roles: Sequence[str] | None,
        limit: Privileges | None,
    ) -> NewKey:
        """Make a key with what its owner holds now, narrowed to `limit`, which is what `roles` give.

        Raises `Refused` (`too-many-api-keys`) and `Unavailable`.
        """
        now, secret = self.clock(), randomness.token_urlsafe(SECRET_BYTES)
        if len(await self.of(owner)) >= MOST_KEYS:
            raise Refused("too-many-api-keys", TOO_MANY_TEXT)
        held = owner.privileges
        key = ApiKey(
            key_id=self.new_id(),
            name=name,
            owner=owner.owner,
            owner_roles=tuple(sorted(owner.roles)),
            secret_hash=hash_secret(secret),
            privileges=held if limit is None else held.only_what_is_in(limit),
            roles=None if roles is None else tuple(roles),
            created_at=now,
            expires_at=None if lifetime is None else now + lifetime,
        )
        await self._write(key, now)
        return NewKey(key, secret)

    async def of(self, owner: Principal) -> Sequence[ApiKey]:
        """The owner's own keys. Raises `Unavailable`."""
        return [key for key in await self.directory.all() if key.owner == owner.owner]

    async def get(self, key_id: str) -> ApiKey:
        """Raises `Refused` (`api-key-not-found`) and `Unavailable`."""
        key = await self.directory.get(key_id)
        if key is None:
            raise Refused("api-key-not-found", f"API key [{key_id}] not found")
        return key

    async def revoke(self, key: ApiKey, by: str) -> None:
        """Once this returns, no gateway takes it any more. Raises `Unavailable`; to repeat it is safe."""
        now = self.clock()
        await self._write(key.revoked(now, by), now)

    async def _write(self, key: ApiKey, at: datetime) -> None:
        await self.writer.write([self.messages.message(API_KEYS, key.key_id, key, at=at, partition=PARTITION)])


def hash_secret(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def is_secret_of(key: ApiKey, secret: str) -> bool:
    return hmac.compare_digest(key.secret_hash, hash_secret(secret))


def may_manage(principal: Principal, key: ApiKey) -> bool:
    """A superuser all, others their own. Who comes with a key, that one: a narrowed key has no more to do than that."""
    if principal.is_superuser:
        return True
    if principal.api_key_id is not None:
        return principal.api_key_id == key.key_id
    return principal.owner == key.owner
