"""Rotation of the encryption key: every data key under an old one is put under the primary one, while runs go on.

Secrets stay as they are. Each connector is changed by a command like any other change, and one that is saved meanwhile
keeps what it has then. Whatever a rotation that was cut off has not done is left to the next.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from connectory.domain.commands import RewrapSecrets
from connectory.domain.errors import ConnectoryError, Refused, SecretsUnreadable, Unavailable
from connectory.domain.replies import CommandAccepted
from connectory.gateway.origin import NewId
from connectory.gateway.sealed_connectors import OnOldKey, SealedConnectors, Survey
from connectory.infra.clock import Clock
from connectory.infra.exclusive import Exclusive

LARGEST_BATCH: Final = 10_000
AT_ONCE: Final = 500
"""Commands under way: as many as the aggregate decides in one transaction."""

_NAME: Final = "key-rotation"
NOT_CONFIGURED: Final = (
    "Kibana is not configured to support encryption key rotation. Update `kibana.yml` to include "
    "`xpack.encryptedSavedObjects.keyRotation.decryptionOnlyKeys` to rotate your encryption keys."
)
RUNNING: Final = "Encryption key rotation is in progress already. Please wait until it is completed and try again."

log = logging.getLogger(__name__)


class Decides(Protocol):
    """What carries a command to the aggregate: `CommandDesk`."""

    async def carry_out(self, subject_id: str, command: RewrapSecrets) -> CommandAccepted: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """All connectors; those that were on an old key and are on the primary one now; those that are still on an old one
    because they could not be written. What no key opens counts in `total` only.
    """

    total: int = 0
    successful: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRotation:
    connectors: SealedConnectors
    desk: Decides
    exclusive: Exclusive
    clock: Clock
    new_id: NewId

    async def rotate(
        self,
        by: str | None,
        *,
        batch_size: int = LARGEST_BATCH,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> Rotated:
        """Rotate all; `progress` is told how many are done, of how many.

        Raises `EncryptionKeyMissing`, `Refused` when there is no old key (`key-rotation-not-configured`) or another
        rotation runs (`key-rotation-running`), and `Unavailable`.
        """
        self.require_keys()
        async with self.exclusive.hold(_NAME, Refused("key-rotation-running", RUNNING)):
            survey = await self.connectors.survey()
            rotated = await self._rotate(survey, by, batch_size, progress)
        log.info("rotated encryption keys: %s", rotated)
        return rotated

    def require_keys(self) -> None:
        """Raise `EncryptionKeyMissing`, or `Refused` when there is no key to rotate from."""
        vault = self.connectors.vault
        vault.require_key()
        if not vault.has_old_keys:
            raise Refused("key-rotation-not-configured", NOT_CONFIGURED)

    async def _rotate(
        self, survey: Survey, by: str | None, batch_size: int, progress: Callable[[int, int], None]
    ) -> Rotated:
        """A broker that is away for one is taken to be away for those that are left: they are for the next rotation."""
        results: list[bool | None] = []
        away = asyncio.Event()
        places = asyncio.Semaphore(AT_ONCE)

        async def rotate_one(found: OnOldKey) -> None:
            async with places:
                results.append(False if away.is_set() else await self._rewrap(found, by, away))
            progress(len(results), len(survey.on_old_key))

        for batch in _batches(survey.on_old_key, batch_size):
            async with asyncio.TaskGroup() as tasks:
                for found in batch:
                    tasks.create_task(rotate_one(found))
        return Rotated(total=survey.total, successful=results.count(True), failed=results.count(False))

    async def _rewrap(self, found: OnOldKey, by: str | None, away: asyncio.Event) -> bool | None:
        """Whether it is on the primary key now; None when it cannot be opened, or is gone."""
        try:
            await self.desk.carry_out(found.connector_id, self._command(found, by))
        except SecretsUnreadable:
            return None
        except ConnectoryError as error:
            if error.code == "connector-not-found":
                return None
            if isinstance(error, Unavailable):
                away.set()
            log.warning("connector %s stays on an old encryption key: %s", found.connector_id, error)
            return False
        return True

    def _command(self, found: OnOldKey, by: str | None) -> RewrapSecrets:
        """Raises `SecretsUnreadable`."""
        return RewrapSecrets(
            command_id=self.new_id(),
            connector_id=found.connector_id,
            space_id=found.space_id,
            at=self.clock(),
            by=by,
            replaces=found.wrapped_key,
            wrapped_key=self.connectors.vault.rewrap(found.connector_id, found.wrapped_key),
        )


def _batches(found: Sequence[OnOldKey], size: int) -> list[Sequence[OnOldKey]]:
    return [found[start : start + size] for start in range(0, len(found), size)]
