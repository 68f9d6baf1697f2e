"""Who is calling."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from connectory.domain.privileges import NO_PRIVILEGES, Privileges

Scheme: TypeAlias = Literal["basic", "apikey", "bearer"]
Realm: TypeAlias = Literal["file", "oidc"]
"""Who vouches for a name: the security file, or the identity provider."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody, over the time: the same name of another realm is somebody else."""

    realm: Realm
    name: str


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller: what it is called, and what it may do. Everything not granted is denied.

    `scheme` is how it proved who it is. A caller with an API key has the name and the realm of the key's owner.
    """

    name: str
    roles: frozenset[str] = frozenset()
    privileges: Privileges = NO_PRIVILEGES
    scheme: Scheme = "basic"
    realm: Realm = "file"
    api_key_id: str | None = None
    api_key_name: str | None = None

    @property
    def is_superuser(self) -> bool:
        return self.privileges.is_superuser

    @property
    def owner(self) -> Owner:
        return Owner(self.realm, self.name)
