"""Password hashes in PHC string format: `$argon2id$…` and `$scrypt$ln=…,r=…,p=…$salt$hash`."""

import hashlib
import hmac
import re
from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_SCRYPT: Final = re.compile(r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)")
_ARGON2ID: Final = re.compile(
    r"\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,4}),p=(\d{1,3})\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{16,}"
)
_MAX_MEMORY: Final = 1024**3
"""Bytes that one check may need. A hash that asks for more would take the gateway down."""


@dataclass(frozen=True, slots=True)
class _Scrypt:
    cost: int
    block_size: int
    parallelism: int
    salt: bytes
    expected: bytes

    @property
    def memory(self) -> int:
        return 128 * self.block_size * (self.cost + self.parallelism + 2)


def hash_password(password: str) -> str:
    """An argon2id hash with the library's current parameters. Slow by intent."""
    return _hasher().hash(_encoded(password))


def verify_password(password_hash: str, password: str) -> bool:
    """Whether the password belongs to the hash. Slow by intent, and not to be called on the event loop."""
    if scrypt := _parse_scrypt(password_hash):
        return _verify_scrypt(scrypt, _encoded(password))
    try:
        return _hasher().verify(password_hash, _encoded(password))
    except (VerificationError, InvalidHashError):
        return False


def is_password_hash(text: str) -> bool:
    """Whether the text is a hash that `verify_password` can check within its bounds."""
    if argon2id := _ARGON2ID.fullmatch(text):
        return int(argon2id[1]) * 1024 <= _MAX_MEMORY
    return _parse_scrypt(text) is not None


def _verify_scrypt(scrypt: _Scrypt, password: bytes) -> bool:
    computed = hashlib.scrypt(
        password,
        salt=scrypt.salt,
        n=scrypt.cost,
        r=scrypt.block_size,
        p=scrypt.parallelism,
        maxmem=scrypt.memory + 1024**2,
        dklen=len(scrypt.expected),
    )
    return hmac.compare_digest(computed, scrypt.expected)


def _parse_scrypt(text: str) -> _Scrypt | None:
    match = _SCRYPT.fullmatch(text)
    if match is None:
        return None
    try:
        salt, expected = _unpadded(match[4]), _unpadded(match[5])
    except Base64Error:
        return None
    scrypt = _Scrypt(2 ** int(match[1]), int(match[2]), int(match[3]), salt, expected)
    plausible = scrypt.cost > 1 and scrypt.block_size and scrypt.parallelism and len(expected) >= 16
    return scrypt if plausible and scrypt.memory <= _MAX_MEMORY else None


def _unpadded(text: str) -> bytes:
    return b64decode(text + "=" * (-len(text) % 4), validate=True)


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


def _encoded(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
