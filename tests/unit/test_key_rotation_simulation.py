"""Rotation of the encryption key while everything breaks: what was sealed stays readable, and the old key can go."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from connectory.domain.errors import ConnectoryError
from connectory.gateway.changes import ConnectorChanges
from connectory.gateway.key_rotation import KeyRotation
from connectory.gateway.sealed_connectors import SealedConnectors
from connectory.infra.crypto import KeyRing, SecretsVault
from connectory.infra.exclusive import InProcessExclusive
from connectory.testing import run_in_virtual_time
from tests.unit.simulation import Killed, Simulation, hook

OLD = SecretsVault(KeyRing("o" * 32))
NEW, BOTH = SecretsVault(KeyRing("n" * 32)), SecretsVault(KeyRing("n" * 32, ["o" * 32]))
CONNECTORS = [f"c{number}" for number in range(6)]
REQUESTS = 20


async def history(seed: int) -> Simulation:
    """Connectors under the old key are used and saved again while a rotation is begun until it is through."""
    simulation = Simulation(seed)
    simulation.installation.vault = BOTH
    await simulation.installation.create_topics()
    async with asyncio.timeout(20_000), simulation.running() as changes:
        before = replace(changes, vault=OLD)
        for number, connector_id in enumerate(CONNECTORS):
            await simulation.persist(partial(before.create, connector_id, ".webhook", hook(number)))
        await asyncio.gather(use(simulation, changes), rotate_until_through(simulation, changes))
        await simulation.calm()
    return simulation


async def use(simulation: Simulation, changes: ConnectorChanges) -> None:
    for count in range(REQUESTS):
        for connector_id in CONNECTORS:
            await simulation.submit(f"r-{connector_id}-{count}", connector_id)
        await simulation.persist(partial(changes.update, CONNECTORS[count % 2], hook(count)))


async def rotate_until_through(simulation: Simulation, changes: ConnectorChanges) -> None:
    installation = simulation.installation
    connectors = SealedConnectors(installation.log, installation.messages, BOTH)
    rotation = KeyRotation(
        connectors=connectors,
        desk=changes.desk,
        exclusive=InProcessExclusive(),
        clock=changes.clock,
        new_id=changes.new_id,
    )
    while True:
        try:
            await rotation.rotate("ada", batch_size=2)
            if not (await connectors.survey()).on_old_key:
                return
        except* (ConnectoryError, Killed):
            await asyncio.sleep(0.1)


@pytest.fixture(scope="module", params=range(2))
def simulation(request: pytest.FixtureRequest) -> Simulation:
    return run_in_virtual_time(history(request.param))


def test_faults_did_happen(simulation: Simulation) -> None:
    assert simulation.faults["killed"] > 0
    assert simulation.faults["away"] > 0


def test_no_run_fails_for_its_secrets(simulation: Simulation) -> None:
    reasons = {outcome.reason for outcome in simulation.installation.outcomes()}

    assert "secrets-unreadable" not in reasons


def test_the_new_key_alone_opens_what_was_saved_last(simulation: Simulation) -> None:
    states = simulation.installation.states()
    opened = {each: NEW.open(each, state.secrets) for each, state in states.items()}

    assert set(opened) == set(CONNECTORS)
    for number, connector_id in enumerate(CONNECTORS[2:], 2):
        assert opened[connector_id] == hook(number).secrets


def test_versions_still_count_the_changes(simulation: Simulation) -> None:
    versions = {each: state.version for each, state in simulation.installation.states().items()}

    assert all(versions[connector_id] == 2 for connector_id in CONNECTORS[2:])
    assert all(versions[connector_id] >= REQUESTS // 2 for connector_id in CONNECTORS[:2])
