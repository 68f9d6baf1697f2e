"""Rotation of the encryption key when changes are refused, or nobody decides them."""

from collections.abc import Callable

import pytest

from connectory.domain.commands import RewrapSecrets
from connectory.domain.errors import ConnectoryError, Refused, Unavailable
from connectory.domain.replies import CommandAccepted
from connectory.gateway.key_rotation import KeyRotation, Rotated
from connectory.gateway.sealed_connectors import SealedConnectors
from connectory.infra.crypto import KeyRing, SecretsVault
from connectory.infra.exclusive import InProcessExclusive
from tests.unit.connectors import AT
from tests.unit.installation import Installation

OLD, BOTH = SecretsVault(KeyRing("o" * 32)), SecretsVault(KeyRing("n" * 32, ["o" * 32]))


class Desk:
    """Decides as it is told; `asked` are the connectors that it was asked to change, in order."""

    def __init__(self, error: ConnectoryError | None) -> None:
        self._error = error
        self.asked: list[str] = []

    async def carry_out(self, subject_id: str, command: RewrapSecrets) -> CommandAccepted:
        self.asked.append(subject_id)
        if self._error is not None:
            raise self._error
        return CommandAccepted(
            command_id=command.command_id, subject_id=subject_id, version=2, topic="", partition=0, offset=0, state=None
        )


@pytest.fixture
async def installation() -> Installation:
    """With connectors under the old key: `c2` was changed before `c1`, and the ciphertext of `c3` is damaged."""
    made = await Installation().create_topics()
    for connector_id, changed in (("c1", AT.replace(hour=14)), ("c2", AT.replace(hour=13))):
        sealed = OLD.seal(connector_id, {"user": "ada"})
        await made.connector(connector_id, secrets={}, sealed=sealed, updated_at=changed)
    await made.connector("c3", secrets={}, sealed=OLD.seal("another", {"user": "ada"}))
    return made


def rotation(installation: Installation, desk: Desk) -> KeyRotation:
    return KeyRotation(
        connectors=SealedConnectors(installation.log, installation.messages, BOTH),
        desk=desk,
        exclusive=InProcessExclusive(),
        clock=installation.clock,
        new_id=iter("abcdefgh").__next__,
    )


async def test_those_that_were_changed_longest_ago_come_first(installation: Installation) -> None:
    desk, told = Desk(None), list[tuple[int, int]]()

    def progress(done: int, total: int) -> None:
        told.append((done, total))

    rotated = await rotation(installation, desk).rotate("ada", batch_size=1, progress=progress)

    assert rotated == Rotated(total=3, successful=2, failed=0)
    assert (desk.asked, told) == (["c2", "c1"], [(1, 3), (2, 3), (3, 3)])


async def test_a_broker_that_is_away_is_asked_once(installation: Installation) -> None:
    desk = Desk(Unavailable("away"))

    rotated = await rotation(installation, desk).rotate("ada", batch_size=1)

    assert (desk.asked, rotated.failed, rotated.successful) == (["c2"], 2, 0)


@pytest.mark.parametrize(
    ("refused", "failed"), [(Refused.not_found, 0), (lambda _id: Refused("command-misplaced", "elsewhere"), 2)]
)
async def test_what_is_gone_has_not_failed(
    installation: Installation, refused: Callable[[str], Refused], failed: int
) -> None:
    rotated = await rotation(installation, Desk(refused("c"))).rotate("ada")

    assert (rotated.successful, rotated.failed) == (0, failed)
