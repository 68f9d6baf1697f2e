"""Refusals that take a particular state to be seen: an unknown type, a change in between, no key, a slow client."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import FormData

from connectory.domain.errors import Unavailable
from connectory.gateway.origin import derived_connector_id
from connectory.infra.crypto import KeyRing, SecretsVault
from connectory.infra.settings import Settings
from tests.http_gateway import (
    CONNECTOR,
    HOOK,
    XSRF,
    HttpGateway,
    Users,
    dependencies_of,
    http_gateway,
    on_a_free_port,
    reading_replies,
    running,
)
from tests.unit.installation import Installation

NO_KEY = "the Encrypted Saved Objects plugin is missing encryption key. Please set "
MAIL: dict[str, Any] = {
    "name": "mail",
    "connector_type_id": ".email",
    "config": {"service": "other", "host": "localhost", "port": 25, "from": "a@example.com", "hasAuth": True},
    "secrets": {"user": "a", "password": "b"},
}
COMMAND_ID = "0b5a4c9e-1b2c-4d3e-8f4a-5b6c7d8e9f00"
IMPORTED = b'{"id": "c9", "type": "action", "references": [], "attributes": {"actionTypeId": ".gone", "name": "x"}}'


@pytest.fixture
async def gateway() -> AsyncIterator[HttpGateway]:
    async with http_gateway(await Installation().create_topics()) as gateway:
        await reading_replies(gateway)
        await gateway.create("c1")
        yield gateway


@pytest.mark.parametrize("path", [CONNECTOR, f"{CONNECTOR}/c2"])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"connector_type_id": ".none"}, 'Action type ".none" is not registered.'),
        ({"config": {}}, "error validating connector type config: ✖ Invalid input"),
        ({"secrets": {"x": "y"}}, "error validating connector type secrets: ✖ Unrecognized key"),
        ({**MAIL, "secrets": {}}, "error validating action type connector: [user] is required"),
    ],
)
async def test_what_a_new_connector_must_be_like(
    gateway: HttpGateway, path: str, changes: dict[str, Any], message: str
) -> None:
    answer = await gateway.call("POST", path, {**HOOK, **changes})

    assert answer.status == 400
    assert answer.message.startswith(message)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"config": {}}, "error validating connector type config: ✖ Invalid input"),
        ({"secrets": {"x": "y"}}, "error validating connector type secrets: ✖ Unrecognized key"),
        ({"secrets": {}}, "error validating action type connector: [user] is required"),
    ],
)
async def test_what_a_connector_must_be_like_after_an_update(
    gateway: HttpGateway, body: dict[str, Any], message: str
) -> None:
    await gateway.create("mail", **MAIL)
    unchanged = {name: MAIL[name] for name in ("name", "config", "secrets")}

    answer = await gateway.call("PUT", f"{CONNECTOR}/mail", {**unchanged, **body})

    assert answer.status == 400
    assert answer.message.startswith(message)


async def test_a_connector_of_an_unknown_type_cannot_be_updated(gateway: HttpGateway) -> None:
    form = FormData()
    form.add_field("file", IMPORTED, filename="a.ndjson")
    imported = await gateway.call("POST", "/api/saved_objects/_import", data=form)

    answer = await gateway.call("PUT", f"{CONNECTOR}/c9", {"name": "y"})

    assert imported.body["success"]
    assert (answer.status, answer.message) == (400, 'Action type ".gone" is not registered.')


async def test_an_id_made_of_a_repeated_command_can_be_taken(gateway: HttpGateway) -> None:
    taken = derived_connector_id("default", COMMAND_ID)
    await gateway.create(taken)

    headers = {**XSRF, "x-connectory-command-id": COMMAND_ID}
    answer = await gateway.call("POST", CONNECTOR, HOOK, headers=headers)

    assert (answer.status, answer.message) == (409, f"Saved object [action/{taken}] conflict")


async def test_an_update_of_what_was_changed_meanwhile_is_a_conflict(
    gateway: HttpGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = await gateway.read_models.get("default", "c1")
    body = {"name": "new", "config": HOOK["config"]}
    await gateway.call("PUT", f"{CONNECTOR}/c1", body)

    async def still_seen(*_: str) -> Any:
        return seen

    monkeypatch.setattr(gateway.read_models, "get", still_seen)
    answer = await gateway.call("PUT", f"{CONNECTOR}/c1", body)

    assert (answer.status, answer.message) == (409, "Saved object [action/c1] conflict")


async def test_without_a_key_connectors_are_neither_created_nor_updated(gateway: HttpGateway) -> None:
    known = dependencies_of(gateway.installation, on_a_free_port(Settings()), gateway.read_models, Users())
    async with running(replace(known, vault=SecretsVault(KeyRing(None)))) as (url, _):
        keyless = replace(gateway, url=url)
        await reading_replies_without_a_key(keyless)
        answers = [
            await keyless.create(),
            await keyless.call("PUT", f"{CONNECTOR}/c1", {"name": "new", "config": HOOK["config"]}),
        ]

    assert [answer.status for answer in answers] == [500, 500]
    assert {answer.message.partition(" because ")[0] for answer in answers} == {"Unable to create actions client"}
    assert all(NO_KEY in answer.message for answer in answers)


async def reading_replies_without_a_key(keyless: HttpGateway) -> None:
    answer = await keyless.call("POST", "/api/connectory/connector/c1/_enable")
    assert answer.status in (200, 503)


async def test_without_a_key_saved_connectors_do_not_run() -> None:
    installation = await Installation().create_topics()
    await installation.connector("c1", {"user": "ada", "password": "x"})
    installation.vault = SecretsVault(KeyRing(None))
    async with http_gateway(installation) as gateway:
        await reading_replies(gateway)
        answer = await gateway.call("POST", f"{CONNECTOR}/c1/_execute", {"params": {"body": "x"}})

    assert answer.status == 500
    assert answer.message.startswith(f"Unable to execute action because {NO_KEY}")


async def test_whether_a_request_is_cancelled_is_not_known_while_the_broker_is_away() -> None:
    away: set[str] = set()

    async def broker(operation: str) -> None:
        if operation in away:
            raise Unavailable("The broker cannot be reached.")

    installation = await Installation(before=broker).create_topics()
    async with http_gateway(installation) as gateway:
        await reading_replies(gateway)
        away.add("write")
        answer = await gateway.call("DELETE", "/api/connectory/action_requests/r1")

    text = "It is not known whether the request r1 is cancelled. Cancel it again; that is safe."
    assert (answer.status, answer.message) == (503, text)


@pytest.mark.parametrize(
    ("path", "content_type", "setting"),
    [
        (CONNECTOR, "application/json", "BODY_SECONDS"),
        ("/api/saved_objects/_import", "multipart/form-data; boundary=b", "FORM_SECONDS"),
    ],
)
async def test_a_client_that_is_too_slow_with_its_body_is_told_so(
    gateway: HttpGateway, monkeypatch: pytest.MonkeyPatch, path: str, content_type: str, setting: str
) -> None:
    monkeypatch.setattr(f"connectory.gateway.incoming.{setting}", 0.2)
    answered = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"--b"
        await answered.wait()

    asyncio.get_running_loop().call_later(5, answered.set)
    answer = await gateway.call("POST", path, data=slow(), headers={**XSRF, "Content-Type": content_type})

    assert (answer.status, answer.message) == (408, "The request body did not arrive within 0 seconds")
