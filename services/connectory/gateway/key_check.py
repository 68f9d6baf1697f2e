"""Notices at the start that the encryption key is another one than before, and that secrets are lost without that."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Protocol

from connectory.domain.errors import ConnectoryError, EncryptionKeyMissing, Unavailable
from connectory.gateway.sealed_connectors import SealedConnectors
from connectory.infra.crypto import KeyStanding

RETRY_SECONDS: Final = 5.0

log = logging.getLogger(__name__)


class KeptKey(Protocol):
    """What is remembered of the key from one start to the next: its fingerprint. Raises `Unavailable`."""

    async def get(self) -> str | None: ...

    async def keep(self, key_id: str) -> None: ...


class InMemoryKeptKey:
    """Survives no process."""

    def __init__(self, key_id: str | None = None) -> None:
        self.key_id = key_id

    async def get(self) -> str | None:
        return self.key_id

    async def keep(self, key_id: str) -> None:
        self.key_id = key_id


@asynccontextmanager
async def checking_key(kept: KeptKey, connectors: SealedConnectors) -> AsyncIterator[None]:
    """Check the key beside what is done within: servers may be away at the start, and nobody is to wait for that."""
    checking = asyncio.create_task(_until_checked(kept, connectors), name="key check")
    try:
        yield
    finally:
        checking.cancel()
        await asyncio.wait([checking])


async def check_key(kept: KeptKey, connectors: SealedConnectors) -> None:
    """Warn when connectors are under the earlier key and it is not configured. Until that is mended, at each start.

    Raises `Unavailable`.
    """
    vault = connectors.vault
    try:
        current = vault.key_id
    except EncryptionKeyMissing:
        return
    earlier = await kept.get()
    if earlier == current:
        return
    if earlier is not None and vault.standing(earlier) is KeyStanding.UNKNOWN:
        survey = await connectors.survey()
        if survey.on_unknown_key:
            log.warning(
                "the encryption key is another one than before, and nothing opens the secrets of %d connectors: "
                "add the earlier key to xpack.encryptedSavedObjects.keyRotation.decryptionOnlyKeys, or save them again",
                survey.on_unknown_key,
            )
            return
    await kept.keep(current)


async def _until_checked(kept: KeptKey, connectors: SealedConnectors) -> None:
    while True:
        try:
            await check_key(kept, connectors)
        except Unavailable:
            await asyncio.sleep(RETRY_SECONDS)
        except ConnectoryError as error:
            log.warning("it is not known whether the encryption key is another one than before: %s", error)
            return
        else:
            return
