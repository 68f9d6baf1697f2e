"""Secrets as the domain sees them: sealed. Opening and sealing is `connectory.infra.crypto`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

REDACTED: Final = "[redacted]"
"""What stands in the place of a secret in a text."""


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A connector's data key, itself encrypted under a key-encryption key.

    `key_id` names that key-encryption key, so that rotation can tell which connectors are on an old one.
    """

    key_id: str
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class SealedSecrets:
    """The secrets of a connector, each field encrypted by itself under the connector's data key.

    Events are published without `wrapped_key`: it lives in the command and in the compacted state only, so that a
    tombstone on the state makes every earlier ciphertext unreadable.
    """

    ciphertexts: Mapping[str, bytes] = field(default_factory=dict)
    wrapped_key: WrappedKey | None = None


NO_SECRETS = SealedSecrets()
