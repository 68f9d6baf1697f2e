"""Who is calling: checked users and tokens, and the `admin` account of embedded mode.

A principal carries the privileges that its roles add up to; everything not granted is denied.
"""

import asyncio
import secrets as randomness
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import yaml
from pydantic import SecretStr

from connectory.domain.principal import Owner, Principal
from connectory.domain.privileges import Privileges
from connectory.infra.oidc import TokenVerifier
from connectory.infra.password_checks import PasswordChecks, Verdict
from connectory.infra.passwords import hash_password, verify_password
from connectory.infra.private_files import write_private_file
from connectory.infra.role_levels import SUPERUSER
from connectory.infra.security_file import load_security
from connectory.infra.yaml_file import read_yaml_map

ADMIN: Final = "admin"
SECURITY_FILE: Final = "security.yml"
PASSWORD_FILE: Final = "admin-password"


class Authenticator:
    """Checks users by `security.yml`, and bearers of tokens by `tokens`; None: there is no identity provider.

    What roles give is always what the file says, for both.
    """

    def __init__(
        self,
        security_file: Path,
        tokens: TokenVerifier | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        verify: Callable[[str, str], bool] = verify_password,
    ) -> None:
        """Read the file; raises `SettingsInvalid`. `clock` gives seconds; `verify` is run in a thread."""
        self._file = security_file
        self._tokens = tokens
        self._verify = verify
        self._security = load_security(security_file)
        self._checks = PasswordChecks(clock)

    def reload(self) -> None:
        """Read the file again. Raises `SettingsInvalid`, and then what was read before stays in force."""
        self._security = load_security(self._file)
        self._checks.forget()

    async def basic(self, user: str, password: str) -> Principal | None:
        """The caller with these credentials; None when they are wrong. Raises `TooManyLogins`."""
        verdict = await self._checks.verdict(user, password, partial(self._check, user, password))
        return verdict.principal

    async def bearer(self, token: str) -> Principal | None:
        """The caller with this token; None for one that is not valid. Raises `Unavailable`."""
        bearer = await self._tokens.bearer(token) if self._tokens else None
        if bearer is None:
            return None
        roles = bearer.roles & self._security.roles.keys()
        return Principal(bearer.name, roles, self._security.privileges_of(roles), scheme="bearer", realm="oidc")

    def privileges_now(self, owner: Owner, last_roles: tuple[str, ...]) -> Privileges | None:
        """What somebody holds now; None when there is no such user any more, or no identity provider.

        Of those who come with tokens nobody knows here whether they are still there: their `last_roles` must do, and
        what these give now.
        """
        if owner.realm == "oidc":
            return self._security.privileges_of(last_roles) if self._tokens else None
        user = self._security.users.get(owner.name)
        return None if user is None else self._security.privileges_of(user.roles)

    def privileges_of(self, role: str) -> Privileges | None:
        """What a role gives; None when there is none of that name."""
        return self._security.roles.get(role)

    async def _check(self, name: str, password: str) -> Verdict | None:
        """None when the file was read again meanwhile."""
        security = self._security
        users, user = security.users, security.users.get(name)
        # An unknown name takes as long as a known one, so that names cannot be found out by the clock.
        compared = user or next(iter(users.values()), None)
        if compared is None:
            return Verdict(None)
        matches = await asyncio.to_thread(self._verify, compared.password_hash, password)
        if self._security is not security:
            return None
        if user is None or not matches:
            return Verdict(None)
        return Verdict(Principal(user.name, user.roles, security.privileges_of(user.roles)))


@dataclass(frozen=True, slots=True)
class AdminAccount:
    """The account of embedded mode. `password` is None when its file is gone: then only its hash is known."""

    user: str
    password_file: Path
    created: bool
    password: SecretStr | None = field(repr=False)


def ensure_admin(data_dir: Path, env_password: SecretStr | None = None) -> AdminAccount:
    """Make `admin` at the first start, with the given or a random password; later starts reuse it.

    The password is kept in `DIR/admin-password`, its hash in `DIR/security.yml`, both with mode 0600. A given password
    replaces a different one; rewriting `security.yml` for that drops the comments in it. Raises `SettingsInvalid`.
    """
    security_file, password_file = data_dir / SECURITY_FILE, data_dir / PASSWORD_FILE
    created = not security_file.exists()
    if created:
        _set_password(security_file, password_file, env_password or SecretStr(randomness.token_urlsafe(18)))
    elif env_password is not None and not _is_password_of_admin(security_file, env_password):
        _set_password(security_file, password_file, env_password)
    return AdminAccount(ADMIN, password_file, created, _kept(password_file))


def _is_password_of_admin(security_file: Path, password: SecretStr) -> bool:
    admin = load_security(security_file).users.get(ADMIN)
    return admin is not None and verify_password(admin.password_hash, password.get_secret_value())


def _set_password(security_file: Path, password_file: Path, password: SecretStr) -> None:
    """The password first: after a crash in between, the next start finds no hash and begins anew."""
    plain = password.get_secret_value()
    write_private_file(password_file, plain + "\n")
    content = dict(read_yaml_map(security_file)) if security_file.exists() else {}
    users = content.get("users")
    entry = {"password_hash": hash_password(plain), "roles": [SUPERUSER]}
    content["users"] = {**(users if isinstance(users, dict) else {}), ADMIN: entry}
    write_private_file(security_file, yaml.safe_dump(content, sort_keys=False))


def _kept(password_file: Path) -> SecretStr | None:
    if not password_file.exists():
        return None
    return SecretStr(password_file.read_text(encoding="utf-8").removesuffix("\n"))
