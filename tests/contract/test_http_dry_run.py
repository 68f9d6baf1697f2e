"""Dry runs: what an action would send, with nothing sent and no secret shown."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectory.infra.crypto import KeyRing, SecretsVault
from tests.http_gateway import HttpGateway, http_gateway, reading_replies
from tests.unit.installation import Installation

OWN = "/api/connectory/connectors"
DRY_RUN = f"{OWN}/c1/_dry_run"
LOGIN = {"user": "ada", "password": "secret-word"}
CONFIG = {"url": "http://target/a", "hasAuth": True, "headers": {"x-team": "ops", "x-key": "is secret-word"}}


@pytest.fixture
async def gateway() -> AsyncIterator[HttpGateway]:
    async with http_gateway(await Installation().create_topics()) as gateway:
        await reading_replies(gateway)
        await gateway.create("c1", config=CONFIG, secrets=LOGIN)
        yield gateway


async def test_the_call_that_would_be_made_is_shown_without_secrets_and_not_made(gateway: HttpGateway) -> None:
    answer = await gateway.call("POST", DRY_RUN, {"params": {"body": '{"a": "secret-word"}'}})

    assert (answer.status, answer.body["status"], answer.body["connector_version"]) == (200, "ok", 1)
    (call,) = answer.body["calls"]
    assert (call["method"], call["url"], call["body"]) == ("POST", "http://target/a", '{"a": "[redacted]"}')
    headers = {name.lower(): value for name, value in call["headers"].items()}
    assert (headers["authorization"], headers["x-team"], headers["x-key"]) == ("[redacted]", "ops", "is [redacted]")
    assert b"secret-word" not in answer.raw
    assert (gateway.installation.target.calls, gateway.installation.outcomes()) == ([], [])


async def test_templates_are_filled_in_with_variables_if_there_are_any(gateway: HttpGateway) -> None:
    params = {"body": "{{alert.name}} is up"}
    rendered = await gateway.call("POST", DRY_RUN, {"params": params, "variables": {"alert": {"name": "disk"}}})
    as_it_is = await gateway.call("POST", DRY_RUN, {"params": params})

    assert [each.body["calls"][0]["body"] for each in (rendered, as_it_is)] == ["disk is up", "{{alert.name}} is up"]


async def test_what_would_be_written_to_the_log_is_shown(gateway: HttpGateway) -> None:
    await gateway.create("c2", connector_type_id=".server-log", config={})

    answer = await gateway.call("POST", f"{OWN}/c2/_dry_run", {"params": {"message": "hello"}})

    assert (answer.body["status"], answer.body["calls"]) == ("ok", [])
    assert [line.endswith("hello") for line in answer.body["log"]] == [True]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"body": 1}, "error validating action params: ✖ Invalid input: expected string, received number"),
        ({"x": "y"}, "error validating action params: "),
    ],
)
async def test_params_that_do_not_fit_are_an_answer(gateway: HttpGateway, params: Any, message: str) -> None:
    answer = await gateway.call("POST", DRY_RUN, {"params": params})

    assert (answer.status, answer.body["status"], answer.body["calls"]) == (200, "error", [])
    assert answer.body["message"].startswith(message)


async def test_what_stands_in_the_way_of_a_run_is_an_answer(gateway: HttpGateway) -> None:
    await gateway.call("POST", "/api/connectory/connector/c1/_disable")

    answer = await gateway.call("POST", DRY_RUN, {"params": {"body": "x"}})

    assert (answer.body["status"], answer.body["message"]) == (
        "error",
        "the connector c1 is disabled: enable it first",
    )


async def test_secrets_that_no_key_opens_are_an_answer(gateway: HttpGateway) -> None:
    sealed = SecretsVault(KeyRing("l" * 32)).seal("c3", {"user": "ada"})
    await gateway.installation.connector("c3", secrets={}, sealed=sealed)

    answer = await gateway.call("POST", f"{OWN}/c3/_dry_run", {"params": {"body": "x"}})

    assert (answer.status, answer.body["message"]) == (200, 'Unable to decrypt attribute "secrets"')


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        (f"{OWN}/gone/_dry_run", {"params": {}}, 404, "Saved object [action/gone] not found"),
        (f"/s/red{DRY_RUN}", {"params": {}}, 404, "Saved object [action/c1] not found"),
        (DRY_RUN, {}, 400, "[request body.params]: expected value of type [object] but got [undefined]"),
        (DRY_RUN, {"params": {}, "x": 1}, 400, "[request body.x]: definition for this key is missing"),
    ],
)
async def test_dry_runs_that_do_not_begin(
    gateway: HttpGateway, path: str, body: Any, status: int, message: str
) -> None:
    answer = await gateway.call("POST", path, body)

    assert (answer.status, answer.message) == (status, message)


async def test_of_a_type_that_is_not_registered_no_template_can_be_filled_in(gateway: HttpGateway) -> None:
    await gateway.installation.connector("c3", connector_type_id=".gone")

    shown = await gateway.call("POST", f"{OWN}/c3/_dry_run", {"params": {}})
    refused = await gateway.call("POST", f"{OWN}/c3/_dry_run", {"params": {}, "variables": {}})

    assert (shown.status, shown.body["message"]) == (200, 'Action type ".gone" is not registered.')
    assert (refused.status, refused.message) == (400, 'Action type ".gone" is not registered.')
