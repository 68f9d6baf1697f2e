"""Preconfigured and system connectors over HTTP: what is shown of them, and what cannot be done to them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from connectory.connector_types.contract import TypeSettings
from connectory.connector_types.registry import TypeRegistry
from connectory.connector_types.server_log import SERVER_LOG
from connectory.connector_types.webhook import WEBHOOK
from connectory.domain.in_memory_connectors import InMemoryConnector, InMemoryConnectors
from connectory.infra.crypto import KeyRing, SecretsVault
from connectory.infra.egress.hosts import AllowedHosts
from connectory.infra.preconfigured import in_memory_connectors
from connectory.infra.settings import Settings, load_settings
from tests.http_gateway import ADMIN, CONNECTOR, HOOK, VIEWER, XSRF, HttpGateway, http_gateway, reading_replies
from tests.unit.installation import Installation
from tests.waiting import until_answer

CASES = replace(WEBHOOK, id=".cases", name="Cases", is_system=True, allow_multiple_system_actions=True)
FROM_SPEC = replace(WEBHOOK, id=".made", name="Made", source="spec")
SYSTEM = "system-connector-.cases"
INTERNAL = {**XSRF, "x-elastic-internal-origin": "tests"}
DETAILS = {"name": "x", "config": {}, "secrets": {}}
SERVICENOW = InMemoryConnector(connector_id="sn", connector_type_id=".servicenow", name="Now", config={"a": "b"})

OPS: dict[str, Any] = {
    "id": "ops",
    "connector_type_id": ".webhook",
    "name": "Ops",
    "is_preconfigured": True,
    "is_system_action": False,
    "is_deprecated": False,
    "is_connector_type_deprecated": False,
    "auth_mode": "shared",
}


def settings() -> Settings:
    webhook = {
        "actionTypeId": ".webhook",
        "config": {"url": "http://target/ops"},
        "secrets": {"user": "u", "password": "sentinel"},
    }
    entries = {"ops": {**webhook, "name": "Ops"}, "Open.One": {**webhook, "name": "beta", "exposeConfig": True}}
    return load_settings({"xpack.actions.preconfigured": entries}, environ={})


def registry(**options: Any) -> TypeRegistry:
    rules = TypeSettings(hosts=AllowedHosts(["*"]))
    return TypeRegistry([SERVER_LOG, WEBHOOK, CASES, FROM_SPEC], settings=rules, **options)


async def installed(**options: Any) -> Installation:
    made = await Installation().create_topics()
    made.registry = registry(**options)
    made.in_memory = in_memory_connectors(settings().preconfigured, made.registry)
    return made


@pytest.fixture
async def gateway() -> AsyncIterator[HttpGateway]:
    async with http_gateway(await installed()) as gateway:
        await reading_replies(gateway)
        yield gateway


@pytest.mark.parametrize("space", ["", "/s/red"])
async def test_a_get_shows_no_config_and_no_secrets_in_any_space(gateway: HttpGateway, space: str) -> None:
    answer = await gateway.get(f"{space}{CONNECTOR}/ops")
    assert (answer.status, answer.body) == (200, OPS)


async def test_a_config_is_shown_where_the_operator_says_so(gateway: HttpGateway) -> None:
    answer = await gateway.get(f"{CONNECTOR}/Open.One")
    assert answer.body == {**OPS, "id": "Open.One", "name": "beta", "config": {"url": "http://target/ops"}}


async def test_a_list_has_them_by_name_among_the_saved_ones(gateway: HttpGateway) -> None:
    for connector_id, name in [("c1", "zulu"), ("c2", "Ops"), ("c3", "alpha")]:
        await gateway.create(connector_id, name=name)
    items = (await gateway.get("/api/actions/connectors")).body
    assert [item["id"] for item in items] == ["c3", "Open.One", "c2", "ops", "c1"]
    assert items[3] == {**OPS, "referenced_by_count": 0}


async def test_the_internal_list_has_the_system_connectors_as_well(gateway: HttpGateway) -> None:
    items = (await gateway.get("/internal/actions/connectors", headers=INTERNAL)).body
    assert [item["id"] for item in items] == ["Open.One", SYSTEM, "ops"]
    assert items[1] == {
        **OPS,
        "id": SYSTEM,
        "connector_type_id": ".cases",
        "name": "Cases",
        "is_preconfigured": False,
        "is_system_action": True,
        "referenced_by_count": 0,
    }


@pytest.mark.parametrize("path", ["/internal/actions/connectors", "/internal/actions/connector_types"])
async def test_internal_lists_want_the_internal_origin(gateway: HttpGateway, path: str) -> None:
    answer = await gateway.get(path)
    text = f"uri [{path}] with method [get] exists but is not available with the current configuration"
    assert (answer.status, answer.message) == (400, text)


async def test_the_internal_list_asks_for_get(gateway: HttpGateway) -> None:
    answer = await gateway.get("/internal/actions/connectors", headers=INTERNAL, auth=VIEWER)
    assert (answer.status, answer.message) == (403, "Unauthorized to get actions")


async def test_a_system_connector_is_hidden_from_get(gateway: HttpGateway) -> None:
    answer = await gateway.get(f"{CONNECTOR}/{SYSTEM}")
    assert (answer.status, answer.message) == (404, f"Connector {SYSTEM} not found")


@pytest.mark.parametrize(
    ("connector_id", "type_id", "text"),
    [
        ("ops", ".webhook", "This ops already exists in a preconfigured action."),
        ("ops", ".gone", "This ops already exists in a preconfigured action."),
        (SYSTEM, ".webhook", "System action creation is forbidden. Action type: .webhook."),
        ("new", ".cases", "System action creation is forbidden. Action type: .cases."),
        ("", ".cases", "System action creation is forbidden. Action type: .cases."),
    ],
)
async def test_what_is_in_memory_cannot_be_created(
    gateway: HttpGateway, connector_id: str, type_id: str, text: str
) -> None:
    answer = await gateway.create(connector_id, connector_type_id=type_id, config={})
    assert (answer.status, answer.message) == (400, text)


UNCHANGEABLE = [("ops", "Preconfigured action ops can not be updated.")]
UNCHANGEABLE += [(SYSTEM, f"System action {SYSTEM} can not be updated.")]


@pytest.mark.parametrize(("connector_id", "text"), UNCHANGEABLE)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", f"{CONNECTOR}/%s", DETAILS),
        ("POST", "/api/connectory/connector/%s/_enable", None),
        ("POST", "/api/connectory/connector/%s/_disable", None),
        ("PUT", "/api/connectory/connector/%s/delivery_policy", {}),
    ],
)
async def test_it_cannot_be_changed(
    gateway: HttpGateway, connector_id: str, text: str, method: str, path: str, body: Any
) -> None:
    answer = await gateway.call(method, path % connector_id, body)
    assert (answer.status, answer.message) == (400, text)


@pytest.mark.parametrize(
    ("connector_id", "text"),
    [
        ("ops", "Preconfigured action ops is not allowed to delete."),
        (SYSTEM, f"System action {SYSTEM} is not allowed to delete."),
    ],
)
async def test_it_cannot_be_deleted(gateway: HttpGateway, connector_id: str, text: str) -> None:
    answer = await gateway.call("DELETE", f"{CONNECTOR}/{connector_id}")
    assert (answer.status, answer.message) == (400, text)


async def test_a_preconfigured_connector_runs_without_a_key() -> None:
    installation = await installed(enabled_action_types=())
    installation.vault = SecretsVault(KeyRing(None))
    async with http_gateway(installation) as gateway:
        await reading_replies(gateway)
        answer = await gateway.call("POST", f"/s/red{CONNECTOR}/ops/_execute", {"params": {"body": "x"}})
    assert (answer.status, answer.body) == (200, {"connector_id": "ops", "status": "ok", "data": "x"})


async def test_a_config_that_does_not_fit_fails_the_run_only() -> None:
    installation = await installed()
    broken = InMemoryConnector(connector_id="ops", connector_type_id=".webhook", name="Ops", config={"url": 1})
    installation.in_memory = InMemoryConnectors([broken])
    async with http_gateway(installation) as gateway:
        await reading_replies(gateway)
        listed = await gateway.get("/api/actions/connectors")
        ran = await gateway.call("POST", f"{CONNECTOR}/ops/_execute", {"params": {"body": "x"}})
    assert [item["id"] for item in listed.body] == ["ops"]
    assert (ran.status, ran.body["status"], ran.body["errorSource"]) == (200, "error", "framework")
    assert ran.body["message"].startswith("error validating connector type config: ")


async def test_a_type_that_is_not_registered_answers_400_when_it_runs() -> None:
    installation = await installed()
    gone = InMemoryConnector(connector_id="ops", connector_type_id=".gone", name="Ops")
    installation.in_memory = InMemoryConnectors([gone])
    async with http_gateway(installation) as gateway:
        await reading_replies(gateway)
        answer = await gateway.call("POST", f"{CONNECTOR}/ops/_execute", {"params": {}})
        assert (answer.status, answer.message) == (400, 'Action type ".gone" is not registered.')
        assert (await gateway.get(f"{CONNECTOR}/ops")).status == 200


async def test_a_system_connector_is_not_run_directly_whoever_asks(gateway: HttpGateway) -> None:
    for auth in (VIEWER, ADMIN):
        answer = await gateway.call("POST", f"{CONNECTOR}/{SYSTEM}/_execute", {"params": {}}, auth=auth)
        assert (answer.status, answer.message) == (400, "Execution of system action is not allowed")


async def test_a_saved_connector_is_shadowed_and_only_a_delete_reaches_it() -> None:
    installation = await installed()
    in_memory, installation.in_memory = installation.in_memory, InMemoryConnectors()
    async with http_gateway(installation) as gateway:
        await reading_replies(gateway)
        await gateway.call("POST", f"{CONNECTOR}/ops", {**HOOK, "name": "saved"})
        installation.in_memory = in_memory
        async with http_gateway(installation) as later:
            await reading_replies(later)
            assert (await later.get(f"{CONNECTOR}/ops")).body["name"] == "Ops"
            assert [each["name"] for each in (await later.get("/api/actions/connectors")).body] == ["beta", "Ops"]
            first, second = [await later.call("DELETE", f"{CONNECTOR}/ops") for _ in range(2)]
    assert (first.status, first.raw) == (204, b"")
    assert (second.status, second.message) == (400, "Preconfigured action ops is not allowed to delete.")


async def test_how_one_is_delivered_can_be_seen(gateway: HttpGateway) -> None:
    answer = await gateway.get("/api/connectory/connector/ops")
    assert (answer.status, answer.body["enabled"], answer.body["version"]) == (200, True, 0)
    assert (await gateway.get("/api/connectory/connector/ops/delivery_policy")).body["max_attempts"] is None
    for path in (SYSTEM, f"{SYSTEM}/delivery_policy"):
        assert (await gateway.get(f"/api/connectory/connector/{path}")).message == f"Connector {SYSTEM} not found"


async def test_system_types_are_on_the_internal_route_only(gateway: HttpGateway) -> None:
    public = (await gateway.get("/api/actions/connector_types")).body
    internal = (await gateway.get("/internal/actions/connector_types", headers=INTERNAL)).body
    (system,) = (each for each in internal if each not in public)
    assert (system["id"], system["is_system_action_type"], system["allow_multiple_system_actions"]) == (
        ".cases",
        True,
        True,
    )


@pytest.mark.parametrize("type_id", [".webhook", ".gone", ".cases"])
async def test_a_type_that_is_not_made_from_a_specification_has_no_schema_to_show(
    gateway: HttpGateway, type_id: str
) -> None:
    answer = await gateway.get(f"/internal/actions/connector_types/{type_id}/spec", headers=INTERNAL)
    assert (answer.status, answer.message) == (404, "Not Found")


async def test_one_that_is_has_the_schema_of_its_config_and_secrets(gateway: HttpGateway) -> None:
    answer = await gateway.get("/internal/actions/connector_types/.made/spec", headers=INTERNAL)
    assert answer.status == 200
    assert "url" in answer.body["properties"]["config"]["properties"]
    assert answer.body["required"] == ["config", "secrets"]


async def test_whether_one_is_deprecated_is_seen_by_its_hidden_config() -> None:
    installation = await installed()
    installation.in_memory = InMemoryConnectors([SERVICENOW])
    async with http_gateway(installation) as gateway:
        answer = await gateway.get(f"{CONNECTOR}/sn")
    assert answer.body["is_deprecated"] is True


DISABLED = 'action type ".webhook" is not enabled in the Kibana config xpack.actions.enabledActionTypes'
UNLICENSED = (
    "Action type .webhook is disabled because your basic license does not support it. Please upgrade your license."
)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"license_type": "basic"}, UNLICENSED),
        ({"license_type": "basic", "enabled_action_types": (".index",)}, DISABLED),
    ],
)
async def test_a_type_is_refused_by_configuration_first_and_then_by_licence(options: dict[str, Any], text: str) -> None:
    installation = await installed()
    async with http_gateway(installation) as gateway:
        await reading_replies(gateway)
        await gateway.create("c1")
    installation.registry = registry(**options)
    async with http_gateway(installation) as gateway:
        await reading_replies(gateway)
        await until_answer(lambda: gateway.get(f"{CONNECTOR}/c1"), lambda answer: answer.status == 200)
        answers = [
            await gateway.create("c2"),
            await gateway.create(),
            await gateway.call("PUT", f"{CONNECTOR}/c1", {"name": "hook", "config": HOOK["config"], "secrets": {}}),
            await gateway.call("POST", f"{CONNECTOR}/c1/_execute", {"params": {"body": "x"}}),
        ]
        assert (await gateway.call("DELETE", f"{CONNECTOR}/c1")).status == 204
    assert [(each.status, each.message) for each in answers] == [(403, text)] * 4


async def test_a_licence_that_is_too_low_stops_preconfigured_connectors_too() -> None:
    async with http_gateway(await installed(license_type="basic")) as gateway:
        await reading_replies(gateway)
        answer = await gateway.call("POST", f"{CONNECTOR}/ops/_execute", {"params": {"body": "x"}})
    assert (answer.status, answer.message) == (403, UNLICENSED)


async def test_a_type_above_the_tier_is_listed_as_such() -> None:
    async with http_gateway(await installed(license_type="basic", enabled_action_types=(".webhook",))) as gateway:
        types = {each["id"]: each for each in (await gateway.get("/api/actions/connector_types")).body}
    shown = [(each["enabled"], each["enabled_in_config"], each["enabled_in_license"]) for each in types.values()]
    assert shown[0] == (False, False, True)
    webhook = types[".webhook"]
    assert (webhook["enabled"], webhook["enabled_in_config"], webhook["enabled_in_license"]) == (False, True, False)
    assert webhook["minimum_license_required"] == "gold"
