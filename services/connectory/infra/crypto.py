"""Keeps secrets secret: sealing, opening, and redaction.

Envelope encryption: each seal draws a data key that encrypts every field by itself with AES-256-GCM; the data key is
wrapped, again with AES-256-GCM, under a key-encryption key derived from the configured string. Every ciphertext is its
nonce (12 bytes), the encrypted bytes and the tag (16 bytes), and is bound to what it belongs to by associated data:
version label, connector id and, for a field, its name, each with its length before it.

Redaction keeps opened secrets out of texts. A target may echo what it was sent, plain or encoded; so the usual
encodings of each secret are looked for as well.
"""

import json
import logging
import re
import secrets as randomness
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import quote, quote_plus

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from connectory.domain.errors import EncryptionKeyMissing, Refused, SecretsUnreadable, SettingsInvalid
from connectory.domain.json_types import Json, JsonObject
from connectory.domain.secrets import NO_SECRETS, REDACTED, SealedSecrets, WrappedKey
from connectory.infra.private_files import write_private_file

KEY_FILE: Final = "encryption-key"
MIN_KEY_LENGTH: Final = 32
"""Characters of a configured key."""


MIN_LENGTH: Final = 4
"""Shorter values are left alone: replacing every `a` would destroy texts and hide nothing."""

_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32
_KEY_ID_BYTES: Final = 8
_FIELD_LABEL: Final = "connectory secrets field v1"
_DATA_KEY_LABEL: Final = "connectory data key v1"

_log = logging.getLogger(__name__)


def generate_key() -> str:
    """A new string for `xpack.encryptedSavedObjects.encryptionKey`, with 256 bits of randomness."""
    return randomness.token_urlsafe(_KEY_BYTES)


def ensure_encryption_key(data_dir: Path) -> str:
    """The key kept in `DIR/encryption-key` (mode 0600); made at the first start."""
    path = data_dir / KEY_FILE
    if not path.exists():
        write_private_file(path, generate_key() + "\n")
    key = path.read_text(encoding="utf-8").strip()
    if len(key) < MIN_KEY_LENGTH:
        raise SettingsInvalid(f"{path} holds no key of at least {MIN_KEY_LENGTH} characters; restore it from a backup")
    return key


@dataclass(frozen=True, slots=True)
class _KeyEncryptionKey:
    """`key_id` is a fingerprint: it tells keys apart and says nothing about them."""

    key_id: str
    cipher: AESGCM = field(repr=False)


class KeyStanding(Enum):
    """Of a key that some data key is wrapped under: it seals, it only opens still, or nobody has configured it."""

    PRIMARY = auto()
    OLD = auto()
    UNKNOWN = auto()


class KeyRing:
    """The configured keys: the primary one writes and reads, the others read only."""

    def __init__(self, primary: str | None, decryption_only: Sequence[str] = ()) -> None:
        self.primary = None if primary is None else _derive(primary)
        self.reading = [*([self.primary] if self.primary else []), *map(_derive, decryption_only)]

    @property
    def primary_id(self) -> str | None:
        return self.primary.key_id if self.primary else None

    @property
    def old_ids(self) -> frozenset[str]:
        """Those of the keys that only read."""
        return frozenset(key.key_id for key in self.reading) - {self.primary_id}


class SecretsVault:
    """Seals with the primary key, opens with any key of the ring."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    def seal(self, connector_id: str, secrets: JsonObject) -> SealedSecrets:
        """Encrypt each field by itself; no fields make `NO_SECRETS`. Raises `EncryptionKeyMissing`."""
        key = self._primary()
        if not secrets:
            return NO_SECRETS
        data_key = AESGCM.generate_key(bit_length=8 * _KEY_BYTES)
        encrypt = partial(_encrypt, AESGCM(data_key))
        ciphertexts = {
            name: encrypt(json.dumps(value).encode(), _bound_to(_FIELD_LABEL, connector_id, name))
            for name, value in secrets.items()
        }
        return SealedSecrets(ciphertexts, self._wrap(key, connector_id, data_key))

    def require_key(self) -> None:
        """Raise `EncryptionKeyMissing` when nothing could be sealed."""
        self._primary()

    @property
    def key_id(self) -> str:
        """The key that seals, by its fingerprint. Raises `EncryptionKeyMissing`."""
        return self._primary().key_id

    @property
    def has_old_keys(self) -> bool:
        return bool(self._keys.old_ids)

    def standing(self, key_id: str) -> KeyStanding:
        """What the key with this fingerprint is to us."""
        if key_id == self._keys.primary_id:
            return KeyStanding.PRIMARY
        return KeyStanding.OLD if key_id in self._keys.old_ids else KeyStanding.UNKNOWN

    def rewrap(self, connector_id: str, wrapped: WrappedKey) -> WrappedKey:
        """The same data key under the primary key. Raises `EncryptionKeyMissing`, `SecretsUnreadable`."""
        primary = self._primary()
        data_key = self._unwrap(connector_id, wrapped)
        return self._wrap(primary, connector_id, data_key)

    def _wrap(self, key: _KeyEncryptionKey, connector_id: str, data_key: bytes) -> WrappedKey:
        return WrappedKey(key.key_id, _encrypt(key.cipher, data_key, _bound_to(_DATA_KEY_LABEL, connector_id)))

    def open(self, connector_id: str, sealed: SealedSecrets) -> JsonObject:
        """Decrypt all fields. Raises `SecretsUnreadable`; the cause is logged, without the connector's content."""
        if not sealed.ciphertexts and sealed.wrapped_key is None:
            return {}
        if not self._keys.reading:
            raise EncryptionKeyMissing("execute action")
        cipher = AESGCM(self._unwrap(connector_id, sealed.wrapped_key))
        return {
            name: self._decrypt_field(cipher, connector_id, name, ciphertext)
            for name, ciphertext in sealed.ciphertexts.items()
        }

    def _primary(self) -> _KeyEncryptionKey:
        if self._keys.primary is None:
            raise EncryptionKeyMissing("create actions client")
        return self._keys.primary

    def _unwrap(self, connector_id: str, wrapped: WrappedKey | None) -> bytes:
        if wrapped is None:
            raise _unreadable(f"connector [{connector_id}] comes without its data key")
        for key in self._keys.reading:
            data_key = _decrypt(key.cipher, wrapped.ciphertext, _bound_to(_DATA_KEY_LABEL, connector_id))
            if data_key is not None:
                return data_key
        raise _unreadable(f"no configured key opens connector [{connector_id}], sealed under key {wrapped.key_id}")

    def _decrypt_field(self, cipher: AESGCM, connector_id: str, name: str, ciphertext: bytes) -> Json:
        value = _decrypt(cipher, ciphertext, _bound_to(_FIELD_LABEL, connector_id, name))
        if value is None:
            raise _unreadable(f"field [{name}] of connector [{connector_id}] is damaged or from elsewhere")
        decoded: Json = json.loads(value)
        return decoded


class Redactor:
    """Replaces the secrets of one connector, longest first, so that none is left in part."""

    __slots__ = ("_forms", "_pattern")

    def __init__(self, secrets: JsonObject) -> None:
        forms = {form for text in _secret_texts(secrets) for form in _forms(text) if len(form) >= MIN_LENGTH}
        self._forms = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, self._forms))) if forms else None

    def redact(self, text: str) -> str:
        """The text with every secret replaced by `[redacted]`."""
        if self._pattern is None or not any(form in text for form in self._forms):
            return text
        return self._pattern.sub(REDACTED, text)

    def redact_json(self, data: Json) -> Json:
        """The data with every string redacted, keys of objects included."""
        if self._pattern is None:
            return data
        match data:
            case str():
                return self.redact(data)
            case Mapping():
                return {self.redact(key): self.redact_json(value) for key, value in data.items()}
            case bool() | int() | float() | None:
                return data
            case _:
                return [self.redact_json(item) for item in data]


@contextmanager
def redacting(secrets: JsonObject) -> Iterator[Redactor]:
    """What refuses a connector may quote its secrets. To whom it belongs that is told; whoever runs it gets less."""
    redactor = Redactor(secrets)
    try:
        yield redactor
    except Refused as refusal:
        raise Refused(refusal.code, redactor.redact(refusal.message)) from None


def _derive(configured: str) -> _KeyEncryptionKey:
    if len(configured) < MIN_KEY_LENGTH:
        raise SettingsInvalid(f"an encryption key must have at least {MIN_KEY_LENGTH} characters")
    key = _hkdf(configured, b"connectory key-encryption key v1", _KEY_BYTES)
    key_id = _hkdf(configured, b"connectory key id v1", _KEY_ID_BYTES).hex()
    return _KeyEncryptionKey(key_id, AESGCM(key))


def _hkdf(configured: str, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(configured.encode())


def _encrypt(cipher: AESGCM, plaintext: bytes, associated: bytes) -> bytes:
    nonce = randomness.token_bytes(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plaintext, associated)


def _decrypt(cipher: AESGCM, ciphertext: bytes, associated: bytes) -> bytes | None:
    """None when the key is another one, or anything was changed or cut."""
    try:
        return cipher.decrypt(ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:], associated)
    except (InvalidTag, ValueError):
        return None


def _bound_to(*parts: str) -> bytes:
    """Length before each part, so that no two lists of parts give the same bytes."""
    encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def _unreadable(cause: str) -> SecretsUnreadable:
    _log.error('Failed to decrypt "secrets" attribute: %s', cause)
    return SecretsUnreadable('Unable to decrypt attribute "secrets"')


def _secret_texts(secrets: JsonObject) -> Iterator[str]:
    yield from (text for text in _leaves(secrets) if len(text) >= MIN_LENGTH)
    user, password = secrets.get("user"), secrets.get("password")
    if isinstance(user, str) and isinstance(password, str):
        yield f"{user}:{password}"


def _leaves(data: Json) -> Iterator[str]:
    match data:
        case str():
            yield data
        case Mapping():
            for value in data.values():
                yield from _leaves(value)
        case bool() | int() | float() | None:
            return
        case _:
            for item in data:
                yield from _leaves(item)


def _forms(text: str) -> Iterator[str]:
    """The text itself, and as it looks within JSON, URLs, forms and base64."""
    data = text.encode("utf-8", "surrogatepass")
    yield text
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield quote(data, safe="")
    yield quote(data)
    yield quote_plus(data)
    for encode in (b64encode, urlsafe_b64encode):
        yield encode(data).decode().rstrip("=")
        yield from (_within_base64(encode, data, before) for before in range(3))


def _within_base64(encode: Callable[[bytes], bytes], data: bytes, before: int) -> str:
    """What base64 makes of the data whatever stands around it, as a login with its password; `before` are the bytes
    before it beyond whole groups of three.
    """
    first, end = -(-8 * before // 6), 8 * (before + len(data)) // 6
    return encode(bytes(before) + data).decode()[first:end]
