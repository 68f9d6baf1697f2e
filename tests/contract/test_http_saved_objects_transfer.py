"""From one installation to another with a key of its own: what arrives, and what it takes until it works."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from connectory.infra.crypto import KeyRing, SecretsVault
from tests.http_gateway import CONNECTOR, HOOK, HttpGateway, http_gateway, reading_replies
from tests.saved_objects import EXPORT, IMPORT, ONE_ASKS, form, result, success
from tests.unit.installation import Installation

LOGIN = {**HOOK["config"], "hasAuth": True}
SECRETS = {"user": "ops", "password": "pässword"}
UNDEFINED = {
    "connector_id": "hook",
    "status": "error",
    "message": "error validating action type connector: secrets must be defined",
    "retry": False,
    "errorSource": "framework",
}


@asynccontextmanager
async def installation_with(key: str) -> AsyncIterator[HttpGateway]:
    installation = await Installation().create_topics()
    installation.vault = SecretsVault(KeyRing(key))
    async with http_gateway(installation) as gateway:
        await reading_replies(gateway)
        yield gateway


@pytest.fixture
async def arrived() -> AsyncIterator[HttpGateway]:
    """The other installation, after the transfer of a connector with secrets, and of one without."""
    async with installation_with("a" * 32) as here, installation_with("b" * 32) as there:
        await here.create("hook", config=LOGIN, secrets=SECRETS)
        await here.call("POST", f"{CONNECTOR}/log", {"name": "log", "connector_type_id": ".server-log"})
        exported = await here.call("POST", EXPORT, {"type": "action"})
        imported = await there.call("POST", IMPORT, data=form(exported.raw))
        assert imported.body == result(success("hook"), success("log", "log"), warnings=[ONE_ASKS])
        yield there


async def test_a_connector_arrives_without_its_secrets_and_is_marked(arrived: HttpGateway) -> None:
    shown = (await arrived.get(f"{CONNECTOR}/hook")).body

    assert (shown["is_missing_secrets"], shown["config"]["hasAuth"]) == (True, True)
    assert arrived.installation.states()["hook"].secrets.ciphertexts == {}


async def test_a_direct_run_fails_until_the_secrets_are_given_again(arrived: HttpGateway) -> None:
    run = {"params": {"body": "x"}}
    before = await arrived.call("POST", f"{CONNECTOR}/hook/_execute", run)
    await arrived.call("PUT", f"{CONNECTOR}/hook", {"name": "hook", "config": LOGIN, "secrets": SECRETS})
    after = await arrived.call("POST", f"{CONNECTOR}/hook/_execute", run)

    assert (before.status, before.body) == (200, UNDEFINED)
    assert after.body == {"connector_id": "hook", "status": "ok", "data": "x"}
    assert (await arrived.get(f"{CONNECTOR}/hook")).body["is_missing_secrets"] is False


async def test_a_connector_that_needs_no_secrets_works_at_once(arrived: HttpGateway) -> None:
    answer = await arrived.call("POST", f"{CONNECTOR}/log/_execute", {"params": {"message": "hello"}})

    assert answer.body["status"] == "ok"
    assert (await arrived.get(f"{CONNECTOR}/log")).body["is_missing_secrets"] is False
