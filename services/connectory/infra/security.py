"""Who is calling: checked passwords, and the `admin` account of embedded mode.

A principal carries the privileges that its roles add up to; everything not granted is denied.
"""

import asyncio
import hmac
import secrets as randomness
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml
from pydantic import SecretStr

from connectory.domain.principal import Principal
from connectory.infra.passwords import hash_password, verify_password
from connectory.infra.private_files import write_private_file
from connectory.infra.role_levels import SUPERUSER
from connectory.infra.security_file import load_security
from connectory.infra.yaml_file import read_yaml_map

ADMIN: Final = "admin"
SECURITY_FILE: Final = "security.yml"
PASSWORD_FILE: Final = "admin-password"

REMEMBERED_SECONDS: Final = 60.0
REMEMBERED_AT_MOST: Final = 1000
CHECKS_AT_ONCE: Final = 2
"""One argon2 check takes some 64 MB, and a processor for tens of milliseconds."""


class Authenticator:
    """Checks user and password against `security.yml`.

    A check is slow by intent. So credentials that passed are remembered for a minute, as a keyed hash under a key of
    this process, and forgotten when the file is read again.
    """

    def __init__(
        self,
        security_file: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        verify: Callable[[str, str], bool] = verify_password,
    ) -> None:
        """Read the file; raises `SettingsInvalid`. `clock` gives seconds; `verify` is run in a thread."""
        self._file = security_file
        self._verify = verify
        self._security = load_security(security_file)
        self._remembered = _Remembered(clock)
        self._checks = asyncio.Semaphore(CHECKS_AT_ONCE)

    def reload(self) -> None:
        """Read the file again. Raises `SettingsInvalid`, and then what was read before stays in force."""
        self._security = load_security(self._file)
        self._remembered.clear()

    async def basic(self, user: str, password: str) -> Principal | None:
        """The caller with these credentials; None when they are wrong."""
        credentials = self._remembered.digest(user, password)
        principal = self._remembered.get(credentials)
        if principal is not None:
            return principal
        async with self._checks:
            # Many requests may have waited here with the same credentials: one check is enough for all.
            return self._remembered.get(credentials) or await self._check(credentials, user, password)

    async def _check(self, credentials: bytes, name: str, password: str) -> Principal | None:
        security = self._security
        users, user = security.users, security.users.get(name)
        # An unknown name takes as long as a known one, so that names cannot be found out by the clock.
        compared = user or next(iter(users.values()), None)
        if compared is None:
            return None
        matches = await asyncio.to_thread(self._verify, compared.password_hash, password)
        if user is None or not matches:
            return None
        principal = Principal(user.name, user.roles, security.privileges_of(user.roles))
        if self._security is security:
            self._remembered.put(credentials, principal)
        return principal


class _Remembered:
    """Credentials that passed, by keyed hash; bounded in time and number."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._key = randomness.token_bytes(32)
        self._entries: OrderedDict[bytes, tuple[float, Principal]] = OrderedDict()

    def digest(self, user: str, password: str) -> bytes:
        name = user.encode("utf-8", "surrogatepass")
        message = len(name).to_bytes(4, "big") + name + password.encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, message, "sha256")

    def get(self, digest: bytes) -> Principal | None:
        expires_at, principal = self._entries.get(digest, (0.0, None))
        return principal if principal is not None and self._clock() < expires_at else None

    def put(self, digest: bytes, principal: Principal) -> None:
        self._entries[digest] = (self._clock() + REMEMBERED_SECONDS, principal)
        self._entries.move_to_end(digest)
        if len(self._entries) > REMEMBERED_AT_MOST:
            self._entries.popitem(last=False)

    def clear(self) -> None:
        self._entries.clear()


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
