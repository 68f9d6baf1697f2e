"""Rotation of the encryption key on real servers, by the command line, while actions run."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from connectory.infra.crypto import KeyRing, SecretsVault
from connectory.infra.egress import EgressSettings, open_egress
from connectory.infra.postgres import migrate, open_database
from connectory_projections import ALL
from tests.e2e.program import run
from tests.fakes.http_target import HttpTarget, http_target
from tests.integration.roles import VAULT, Roles, create_command, open_roles, request_message
from tests.unit.installation import KEY

NEW_KEY = "n" * 32
BOTH, NEW = SecretsVault(KeyRing(NEW_KEY, [KEY])), SecretsVault(KeyRing(NEW_KEY))
Rotate = Callable[..., Awaitable[dict[str, int]]]
CONNECTORS = [f"c{number}" for number in range(20)]


@pytest.fixture
async def target() -> AsyncIterator[HttpTarget]:
    async with http_target() as opened:
        yield opened


@pytest.fixture
async def roles(kafka_bootstrap: str, topic_prefix: str, database_url: str, target: HttpTarget) -> AsyncIterator[Roles]:
    """With connectors whose secrets are under the key that is to go."""
    async with open_database(database_url) as database:
        await migrate(database, ALL)
    async with open_roles(kafka_bootstrap, topic_prefix) as opened, opened.aggregate():
        for connector_id in CONNECTORS:
            command = create_command(connector_id, f"create-{connector_id}", target.url)
            config = {**command.config, "hasAuth": True}
            secrets = VAULT.seal(connector_id, {"user": "ada", "password": "secret-word"})
            await opened.command(replace(command, config=config, secrets=secrets))
        yield opened


@asynccontextmanager
async def executor(roles: Roles, vault: SecretsVault) -> AsyncIterator[None]:
    async with open_egress(EgressSettings(user_agent="test")) as egress, roles.executor(egress, vault):
        yield


async def send_until_cancelled(roles: Roles, sent: list[str]) -> None:
    for number, connector_id in zip(itertools.count(), itertools.cycle(CONNECTORS), strict=False):
        await roles.send(request_message(f"r{number}", connector_id))
        sent.append(f"r{number}")


@pytest.fixture
def rotate(roles: Roles, topic_prefix: str, database_url: str) -> Rotate:
    """The command as an operator gives it, with the new key as the primary one; it answers what it printed."""
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": roles.kafka.bootstrap_servers or "",
        "CONNECTORY_KAFKA_TOPICPREFIX": topic_prefix,
        "DATABASE_URL": database_url,
        "XPACK_ENCRYPTEDSAVEDOBJECTS_ENCRYPTIONKEY": NEW_KEY,
        "XPACK_ENCRYPTEDSAVEDOBJECTS_KEYROTATION_DECRYPTIONONLYKEYS": f'["{KEY}"]',
    }

    async def run_it(*options: str) -> dict[str, int]:
        finished = await run("keys", "rotate", "--json", *options, environment=environment)
        assert finished.code == 0, finished.errors
        counts: dict[str, int] = json.loads(finished.output)
        return counts

    return run_it


async def test_keys_are_rotated_while_actions_run_and_the_old_one_can_go(roles: Roles, rotate: Rotate) -> None:
    sent: list[str] = []
    async with executor(roles, BOTH):
        sending = asyncio.create_task(send_until_cancelled(roles, sent))
        assert await rotate() == {"total": 20, "successful": 20, "failed": 0}
        assert await rotate("--dry-run") == {"total": 20, "old_key": 0, "unknown_key": 0}
        sending.cancel()
        outcomes = await roles.outcomes(sent)
    async with executor(roles, NEW):
        await roles.send(request_message("last", "c0"))
        outcomes += await roles.outcomes(["last"])

    assert {outcome.outcome for outcome in outcomes if outcome.final} == {"success"}
    assert len(sent) > len(CONNECTORS)
