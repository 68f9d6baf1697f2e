"""API keys: what is kept of one, and what it is worth at a given moment."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from connectory.domain.principal import Owner
from connectory.domain.privileges import Privileges


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as it is kept: the secret part only as its SHA-256.

    `privileges` are those that its owner had when it was made, narrowed to `roles` if there were any. `owner_roles` are
    what the owner was then, for owners whose roles are told by their tokens and not by the security file.
    """

    key_id: str
    name: str
    owner: Owner
    owner_roles: tuple[str, ...]
    secret_hash: bytes = field(repr=False)
    privileges: Privileges
    roles: tuple[str, ...] | None
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: str | None = None

    @property
    def is_revoked(self) -> bool:
        return self.revoked_at is not None

    def is_valid_at(self, now: datetime) -> bool:
        return not self.is_revoked and (self.expires_at is None or now < self.expires_at)

    def worth(self, owner_now: Privileges) -> Privileges:
        """What it may do: never more than when it was made, and never more than its owner may now."""
        return self.privileges.only_what_is_in(owner_now)

    def revoked(self, at: datetime, by: str) -> "ApiKey":
        return replace(self, revoked_at=at, revoked_by=by)
