"""A start with another encryption key than before."""

import logging

import pytest

from connectory.gateway.key_check import InMemoryKeptKey, check_key
from connectory.gateway.sealed_connectors import SealedConnectors
from connectory.infra.crypto import KeyRing, SecretsVault
from tests.unit.installation import Installation

OLD, NEW = SecretsVault(KeyRing("o" * 32)), SecretsVault(KeyRing("n" * 32))
BOTH = SecretsVault(KeyRing("n" * 32, ["o" * 32]))
WARNING = "the encryption key is another one than before, and nothing opens the secrets of 1 connectors"


@pytest.fixture
async def installation() -> Installation:
    """With one connector under the old key, and one without secrets."""
    made = await Installation().create_topics()
    await made.connector("c1", secrets={}, sealed=OLD.seal("c1", {"user": "ada"}))
    await made.connector("c2")
    return made


def connectors(installation: Installation, vault: SecretsVault) -> SealedConnectors:
    return SealedConnectors(installation.log, installation.messages, vault)


@pytest.mark.parametrize(("vault", "kept"), [(OLD, None), (OLD, OLD.key_id), (BOTH, OLD.key_id)])
async def test_a_key_that_opens_what_was_sealed_is_kept(
    installation: Installation, vault: SecretsVault, kept: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    key = InMemoryKeptKey(kept)
    await check_key(key, connectors(installation, vault))
    assert (key.key_id, caplog.messages) == (vault.key_id, [])


async def test_secrets_that_the_new_key_leaves_behind_are_warned_of_at_each_start(
    installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    key = InMemoryKeptKey(OLD.key_id)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            await check_key(key, connectors(installation, NEW))
    assert [text.startswith(WARNING) for text in caplog.messages] == [True, True]
    assert OLD.key_id not in caplog.text


async def test_the_warning_ends_when_nothing_is_under_the_earlier_key_any_more(
    installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    await installation.connector("c1", secrets={}, sealed=NEW.seal("c1", {"user": "ada"}), version=2)
    key = InMemoryKeptKey(OLD.key_id)
    await check_key(key, connectors(installation, NEW))
    assert (key.key_id, caplog.messages) == (NEW.key_id, [])


async def test_without_a_key_there_is_nothing_to_check(installation: Installation) -> None:
    key = InMemoryKeptKey("some")
    await check_key(key, connectors(installation, SecretsVault(KeyRing(None))))
    assert key.key_id == "some"
