"""Create, get, list, update and delete over HTTP."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectory.infra.crypto import KeyRing, SecretsVault
from connectory.infra.settings import Settings
from tests.http_gateway import CONNECTOR, HOOK, VIEWER, XSRF, HttpGateway, http_gateway, reading_replies
from tests.unit.installation import Installation

CREATED = {
    "id": "c1",
    "connector_type_id": ".server-log",
    "name": "log",
    "config": {},
    "is_missing_secrets": False,
    "is_preconfigured": False,
    "is_system_action": False,
    "is_deprecated": False,
    "is_connector_type_deprecated": False,
}
LOG = {"name": "log", "connector_type_id": ".server-log"}
KEY_MISSING = "Unable to create actions client because the Encrypted Saved Objects plugin is missing encryption key."
REFUSED_CONFIG = "error validating connector type config: "


@pytest.fixture
async def gateway() -> AsyncIterator[HttpGateway]:
    async with http_gateway(await Installation().create_topics()) as gateway:
        await reading_replies(gateway)
        yield gateway


async def test_a_create_answers_200_and_the_connector(gateway: HttpGateway) -> None:
    answer = await gateway.call("POST", f"{CONNECTOR}/c1", LOG)

    assert (answer.status, answer.body) == (200, CREATED)
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


async def test_a_get_adds_the_auth_mode(gateway: HttpGateway) -> None:
    await gateway.call("POST", f"{CONNECTOR}/c1", LOG)

    answer = await gateway.get(f"{CONNECTOR}/c1")

    assert (answer.status, answer.body) == (200, {**CREATED, "auth_mode": "shared"})


async def test_a_list_adds_the_number_of_references(gateway: HttpGateway) -> None:
    await gateway.call("POST", f"{CONNECTOR}/c1", LOG)

    answer = await gateway.get("/api/actions/connectors")

    assert (answer.status, answer.body) == (200, [{**CREATED, "auth_mode": "shared", "referenced_by_count": 0}])


async def test_a_list_is_sorted_as_javascript_sorts(gateway: HttpGateway) -> None:
    names = ["_x", "-y", "#ops", "10th", "2nd", "alpha", "Alpha", "epee", "épée", "Epic", "Zulu"]
    for name in reversed(names):
        await gateway.call("POST", CONNECTOR, {**LOG, "name": name})

    answer = await gateway.get("/api/actions/connectors")

    assert [each["name"] for each in answer.body] == names


async def test_an_empty_space_has_an_empty_list(gateway: HttpGateway) -> None:
    answer = await gateway.get("/s/nowhere/api/actions/connectors")

    assert (answer.status, answer.body) == (200, [])


@pytest.mark.parametrize("path", [CONNECTOR, f"{CONNECTOR}/"])
async def test_without_an_id_the_server_makes_a_uuid_v4(gateway: HttpGateway, path: str) -> None:
    answer = await gateway.call("POST", path, LOG)

    assert answer.status == 200
    assert uuid.UUID(answer.body["id"]).version == 4


async def test_a_chosen_id_may_hold_any_characters(gateway: HttpGateway) -> None:
    created = await gateway.call("POST", f"{CONNECTOR}/a%2Fb%20%C3%A4%25%7B%7D", LOG)

    assert created.body["id"] == "a/b ä%{}"
    assert (await gateway.get(f"{CONNECTOR}/a%2Fb%20%C3%A4%25%7B%7D")).body["id"] == "a/b ä%{}"


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/c1", {}, 400, "[request body.name]: expected value of type [string] but got [undefined]"),
        ("/c1", None, 400, "[request body]: expected a plain object value, but found [null] instead."),
        ("/" + "x" * 37, {}, 400, "[request params.id]: Connector ID must be 36 characters or less."),
        ("/c1", {**HOOK, "connector_type_id": ".x"}, 400, 'Action type ".x" is not registered.'),
        (
            "/c1",
            {**HOOK, "is_inbound_events_enabled": True},
            400,
            "[request body.is_inbound_events_enabled]: ",
        ),
        ("/c1", {**HOOK, "config": {"url": ""}}, 400, "[request body.config.url]: value '' is not valid"),
        ("/c1", {**HOOK, "config": {"url": 1}}, 400, f"{REFUSED_CONFIG}✖ Invalid input: expected string, received"),
        ("/c1", {**HOOK, "config": {}}, 400, f"{REFUSED_CONFIG}✖ Invalid input: expected string, received undefined"),
        ("/c1", {**HOOK, "secrets": {"x": "y"}}, 400, "error validating connector type secrets: "),
        ("/taken", HOOK, 409, "Saved object [action/taken] conflict"),
    ],
)
async def test_creates_that_are_refused(gateway: HttpGateway, path: str, body: Any, status: int, message: str) -> None:
    await gateway.create("taken")

    answer = await gateway.call("POST", CONNECTOR + path, body)

    assert answer.status == status
    assert answer.message.startswith(message)
    assert (await gateway.get(f"{CONNECTOR}/c1")).status == 404


async def test_strict_ids_are_a_setting() -> None:
    settings = Settings().model_copy(update={"strict_ids": True})
    async with http_gateway(await Installation().create_topics(), settings=settings) as gateway:
        answer = await gateway.create("Ops_1")

    text = "[request params.id]: Connector ID must contain only lowercase letters, numbers, and hyphens."
    assert (answer.status, answer.message) == (400, text)


async def test_without_an_encryption_key_nothing_is_changed() -> None:
    installation = await Installation().create_topics()
    installation.vault = SecretsVault(KeyRing(None))
    async with http_gateway(installation) as gateway:
        answers = [
            await gateway.create("c1"),
            await gateway.call("DELETE", f"{CONNECTOR}/c1"),
        ]

    assert [answer.status for answer in answers] == [500, 500]
    assert all(answer.message.startswith(KEY_MISSING) for answer in answers)


async def test_an_update_replaces_everything(gateway: HttpGateway) -> None:
    await gateway.create("c1")

    config = {"url": "http://target/b", "hasAuth": False}
    answer = await gateway.call("PUT", f"{CONNECTOR}/c1", {"name": "new", "config": config, "secrets": {}})

    assert (answer.status, answer.body["name"], answer.body["config"]["url"]) == (200, "new", "http://target/b")
    assert "auth_mode" not in answer.body
    assert (await gateway.get(f"{CONNECTOR}/c1")).body["name"] == "new"


@pytest.mark.parametrize(
    ("connector_id", "body", "status", "message"),
    [
        ("c1", {"name": "n", "connector_type_id": ".webhook"}, 400, "[request body.connector_type_id]: definition for"),
        ("c1", {"name": "n"}, 400, f"{REFUSED_CONFIG}✖ Invalid input: expected string, received undefined"),
        ("gone", {"name": "n"}, 404, "Saved object [action/gone] not found"),
        ("x" * 40, {}, 400, "[request params.id]: value has length [40] but it must have a maximum length of [36]."),
    ],
)
async def test_updates_that_are_refused(
    gateway: HttpGateway, connector_id: str, body: Any, status: int, message: str
) -> None:
    await gateway.create("c1")

    answer = await gateway.call("PUT", f"{CONNECTOR}/{connector_id}", body)

    assert answer.status == status
    assert answer.message.startswith(message)


async def test_a_delete_answers_204_without_a_body_and_only_once(gateway: HttpGateway) -> None:
    await gateway.create("c1")

    first, second = [await gateway.call("DELETE", f"{CONNECTOR}/c1") for _ in range(2)]

    assert (first.status, first.raw) == (204, b"")
    assert (second.status, second.message) == (404, "Saved object [action/c1] not found")
    assert (await gateway.get(f"{CONNECTOR}/c1")).message == "Saved object [action/c1] not found"


@pytest.mark.parametrize(
    ("method", "body"), [("GET", None), ("DELETE", None), ("PUT", {"name": "n", "config": HOOK["config"]})]
)
async def test_a_connector_of_another_space_is_not_found(gateway: HttpGateway, method: str, body: Any) -> None:
    await gateway.create("c1", space="/s/red")

    answer = await gateway.call(method, f"/s/blue{CONNECTOR}/c1", body)

    assert (answer.status, answer.message) == (404, "Saved object [action/c1] not found")
    assert (await gateway.get(f"/s/red{CONNECTOR}/c1")).status == 200


async def test_an_id_is_taken_in_every_space(gateway: HttpGateway) -> None:
    await gateway.create("c1", space="/s/red")

    answer = await gateway.create("c1")

    assert (answer.status, answer.message) == (409, "Saved object [action/c1] conflict")


async def test_the_default_space_has_two_addresses(gateway: HttpGateway) -> None:
    await gateway.create("c1", space="/s/default")

    assert (await gateway.get(f"{CONNECTOR}/c1")).status == 200


async def test_secrets_are_in_no_answer(gateway: HttpGateway) -> None:
    secrets = {"user": "ada", "password": "s3cret-word"}
    config = {"url": "http://target/a", "hasAuth": True, "authType": "webhook-authentication-basic"}

    answers = [await gateway.create("c1", config=config, secrets=secrets)]
    answers.append(await gateway.call("PUT", f"{CONNECTOR}/c1", {"name": "n", "config": config, "secrets": secrets}))
    answers.extend([await gateway.get(f"{CONNECTOR}/c1"), await gateway.get("/api/actions/connectors")])

    assert [answer.status for answer in answers] == [200] * 4
    assert not any(b"s3cret-word" in answer.raw for answer in answers)


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("POST", CONNECTOR, {**HOOK, "connector_type_id": ".x"}, 'Unauthorized to create a ".x" action'),
        ("GET", f"{CONNECTOR}/c1", None, "Unauthorized to get actions"),
        ("GET", "/api/actions/connectors", None, "Unauthorized to get actions"),
        ("PUT", f"{CONNECTOR}/c1", {"name": "n"}, "Unauthorized to update actions"),
        ("DELETE", f"{CONNECTOR}/c1", None, "Unauthorized to delete actions"),
    ],
)
async def test_who_has_no_privilege_is_told_what_it_was_for(
    gateway: HttpGateway, method: str, path: str, body: Any, message: str
) -> None:
    answer = await gateway.call(method, path, body, auth=VIEWER)

    assert answer.body == {"statusCode": 403, "error": "Forbidden", "message": message}


async def test_a_malformed_body_is_refused_before_the_privilege_is_looked_at(gateway: HttpGateway) -> None:
    answer = await gateway.call("POST", CONNECTOR, {}, auth=VIEWER)

    assert answer.status == 400


async def test_a_repeated_create_has_the_effect_and_the_answer_of_the_first(gateway: HttpGateway) -> None:
    headers = {**XSRF, "x-connectory-command-id": str(uuid.uuid4())}

    first, second = [await gateway.call("POST", CONNECTOR, HOOK, headers=headers) for _ in range(2)]

    assert (first.status, first.body) == (200, second.body)
    assert uuid.UUID(first.body["id"]).version == 4
    assert len((await gateway.get("/api/actions/connectors")).body) == 1


async def test_a_repeated_update_and_delete_are_harmless_too(gateway: HttpGateway) -> None:
    await gateway.create("c1")
    change, end = [{**XSRF, "x-connectory-command-id": str(uuid.uuid4())} for _ in range(2)]
    body = {"name": "n", "config": HOOK["config"]}

    updates = [await gateway.call("PUT", f"{CONNECTOR}/c1", body, headers=change) for _ in range(2)]
    deletes = [await gateway.call("DELETE", f"{CONNECTOR}/c1", headers=end) for _ in range(2)]

    assert [each.status for each in (*updates, *deletes)] == [200, 200, 204, 204]


async def test_a_command_id_that_is_no_uuid_is_refused(gateway: HttpGateway) -> None:
    answer = await gateway.call("DELETE", f"{CONNECTOR}/c1", headers={**XSRF, "x-connectory-command-id": "7"})

    text = "[request header.x-connectory-command-id]: expected a UUID, one for each change, but got [7]"
    assert (answer.status, answer.message) == (400, text)
