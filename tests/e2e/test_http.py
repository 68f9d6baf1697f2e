"""Connectors and runs over HTTP, as a client of Kibana's API drives them."""

import asyncio
import io
import os
import signal
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
import yaml
from aiohttp import ClientSession

from connectory.client import ApiError, ConnectoryClient, NewActionRequest, RunningSystem
from connectory.client.api import basic_authorization
from connectory.infra.passwords import hash_password
from tests.e2e.program import Up
from tests.fakes.http_target import HttpTarget
from tests.waiting import until_answer

JSON = {"Content-Type": "application/json", "kbn-xsrf": "test"}


@pytest.fixture
async def raw(system: Up) -> AsyncIterator[ClientSession]:
    """For what a well-behaved client would not send."""
    authorization = {"Authorization": basic_authorization("admin", system.password)}
    async with ClientSession(system.url, headers=JSON | authorization) as session:
        yield session


async def test_a_connector_is_created_read_updated_read_and_deleted(client: ConnectoryClient) -> None:
    created = await client.create_connector("One", ".server-log", connector_id="lifecycle")
    assert await client.connector("lifecycle") == created

    updated = await client.update_connector("lifecycle", "Two")
    assert updated.name == (await client.connector("lifecycle")).name == "Two"
    assert "lifecycle" in [each.id for each in await client.connectors()]

    await client.delete_connector("lifecycle")
    with pytest.raises(ApiError, match=r"404: Saved object \[action/lifecycle\] not found"):
        await client.connector("lifecycle")


async def test_the_default_space_has_two_addresses(raw: ClientSession, client: ConnectoryClient, webhook: str) -> None:
    async with raw.get(f"/s/default/api/actions/connector/{webhook}") as answer:
        assert (await answer.json())["id"] == (await client.connector(webhook)).id


async def test_another_space_does_not_see_a_connector(system: Up, webhook: str) -> None:
    async with system.client(space="elsewhere") as other:
        with pytest.raises(ApiError, match="404"):
            await other.connector(webhook)


async def test_a_connector_runs_when_it_is_told_to(client: ConnectoryClient, webhook: str, target: HttpTarget) -> None:
    result = await client.execute(webhook, {"body": '{"a": 1}'})

    assert result.status == "ok"
    assert target.last.body == b'{"a": 1}'


async def test_requests_over_http_are_run_and_logged(client: ConnectoryClient, webhook: str) -> None:
    request_ids = await client.submit(NewActionRequest(connector_id=webhook, params={"body": "x"}) for _ in range(3))

    seen: set[str] = set()
    async with asyncio.timeout(30.0):
        while not seen >= set(request_ids):
            seen = {item.request_id async for item in client.event_log(connector_id=webhook, outcome="success")}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("{", "Invalid request payload JSON format"),
        ('{"connector_type_id": ".server-log"}', "[request body.name]"),
        ('{"name": "x", "connector_type_id": ".server-log", "colour": "red"}', "colour"),
        ('{"name": 7, "connector_type_id": ".server-log"}', "[request body.name]"),
        ('{"name": "x", "connector_type_id": ".no-such"}', 'Action type ".no-such" is not registered.'),
        ('{"name": "x", "connector_type_id": ".webhook"}', "error validating connector type config"),
    ],
)
async def test_a_bad_body_is_refused_with_its_reason(raw: ClientSession, body: str, problem: str) -> None:
    async with raw.post("/api/actions/connector", data=body) as answer:
        refusal: dict[str, Any] = await answer.json()

    assert answer.status == 400
    assert problem in refusal["message"]


async def test_a_body_that_is_too_large_is_refused(raw: ClientSession) -> None:
    async with raw.post("/api/actions/connector", data=io.BytesIO(b"x" * 1_100_000)) as answer:
        assert answer.status == 413


async def test_nobody_is_let_in_without_the_password(system: Up) -> None:
    async with ConnectoryClient(system.url, "admin", "wrong") as stranger:
        with pytest.raises(ApiError, match="401"):
            await stranger.connectors()


async def is_let_in(client: ConnectoryClient) -> bool:
    try:
        await client.connectors()
    except ApiError:
        return False
    return True


async def test_a_user_who_is_added_while_it_runs_can_log_in_once_the_file_is_read_again(system: Up) -> None:
    file = system.data_dir / "security.yml"
    before = file.read_text(encoding="utf-8")
    content = yaml.safe_load(before)
    content["users"]["ann"] = {"password_hash": hash_password("open sesame"), "roles": ["viewer"]}
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    try:
        os.kill(RunningSystem.find(system.data_dir).pids["gateway"], signal.SIGHUP)
        async with ConnectoryClient(system.url, "ann", "open sesame") as ann:
            await until_answer(partial(is_let_in, ann), bool, 60.0, 0.05)
            with pytest.raises(ApiError, match="Unauthorized to delete actions"):
                await ann.delete_connector("none")
    finally:
        file.write_text(before, encoding="utf-8")


async def test_the_command_shown_at_the_start_works_as_it_stands(system: Up) -> None:
    command = next(line for line in system.output.splitlines() if line.strip().startswith("curl "))
    process = await asyncio.create_subprocess_shell(command + " --silent", stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()

    assert b'".webhook"' in output
