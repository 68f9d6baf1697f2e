"""From one installation to another with a key of its own: what arrives, and what it takes until it works."""

import asyncio
import json
import re
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from connectory.infra.crypto import KeyRing, SecretsVault
from tests.http_gateway import CONNECTOR, HOOK, HttpGateway, http_gateway, reading_replies
from tests.saved_objects import EXPORT, IMPORT, ONE_ASKS, form, result, success
from tests.unit.installation import Installation

PAGE = Path(__file__).parents[2] / "docs/how-to/move-connectors.md"
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


async def test_moving_connectors_works_as_written(tmp_path: Path) -> None:
    (tmp_path / ".connectory").mkdir()
    (tmp_path / ".connectory/admin-password").write_text("pässword", encoding="utf-8")
    shorthand, *steps = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    async with installation_with("a" * 32) as gateway:
        await gateway.create("orders", config=LOGIN, secrets=SECRETS)
        commands = [(shorthand + step).replace("http://127.0.0.1:5601", gateway.url) for step in steps]
        _, imported, resolved, updated, copied = [json_answer(await shell(each, tmp_path)) for each in commands]

    assert imported["successResults"][0]["destinationId"]
    assert resolved["successResults"][0]["createNewCopy"] is True
    assert updated["is_missing_secrets"] is False
    assert [each["success"] for each in copied.values()] == [True, True]


async def shell(commands: str, directory: Path) -> bytes:
    process = await asyncio.create_subprocess_exec("sh", "-c", commands, cwd=directory, stdout=PIPE)
    output, _ = await process.communicate()
    return output


def json_answer(output: bytes) -> Any:
    """None for a command whose output goes into a file."""
    return json.loads(output) if output else None
