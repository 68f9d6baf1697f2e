"""Versions that cannot be restored any more, by what the types and the settings say today; and connectors in memory."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from connectory.connector_types.contract import TypeSettings
from connectory.connector_types.registry import TypeRegistry
from connectory.connector_types.webhook import WEBHOOK
from connectory.domain.in_memory_connectors import InMemoryConnector, InMemoryConnectors
from connectory.domain.json_types import JsonObject
from connectory.infra.egress.hosts import AllowedHosts
from tests.http_gateway import CONNECTOR, HttpGateway, http_gateway, reading_replies
from tests.unit.installation import Installation
from tests.waiting import until_answer

OWN = "/api/connectory/connectors"
LICENSE = (
    "Action type .webhook is disabled because your basic license does not support it. Please upgrade your license."
)
NO_LONGER = {
    "not registered": ({"types": []}, 400, 'Action type ".webhook" is not registered.'),
    "config": (
        {"types": [replace(WEBHOOK, check_config=lambda _config, _settings: "no longer")]},
        400,
        "error validating connector type config: no longer",
    ),
    "secrets": (
        {"types": [replace(WEBHOOK, check_secrets=lambda _secrets, _settings: "no longer")]},
        400,
        "error validating connector type secrets: no longer",
    ),
    "disabled": (
        {"types": [WEBHOOK], "enabled_action_types": ()},
        403,
        'action type ".webhook" is not enabled in the Kibana config xpack.actions.enabledActionTypes',
    ),
    "license": ({"types": [WEBHOOK], "license_type": "basic"}, 403, LICENSE),
}


async def saved_twice() -> Installation:
    installation = await Installation().create_topics()
    async with http_gateway(installation) as gateway:
        await reading_replies(gateway)
        await gateway.create("c1")
        body = {"name": "other", "config": {"url": "http://target/b", "hasAuth": False}}
        assert (await gateway.call("PUT", f"{CONNECTOR}/c1", body)).status == 200
    return installation


async def replayed(gateway: HttpGateway) -> None:
    """Wait for the projections of a gateway that comes after: they begin anew, each by itself."""
    await until_answer(lambda: gateway.get(f"{OWN}/c1/history"), lambda answer: answer.status == 200)
    await until_answer(lambda: gateway.get(f"{CONNECTOR}/c1"), lambda answer: answer.body.get("name") == "other")


@pytest.mark.parametrize(("rules", "status", "message"), NO_LONGER.values(), ids=NO_LONGER)
async def test_a_version_is_checked_by_the_rules_of_today(rules: Mapping[str, Any], status: int, message: str) -> None:
    installation = await saved_twice()
    installation.registry = TypeRegistry(settings=TypeSettings(hosts=AllowedHosts(["*"])), **rules)
    async with http_gateway(installation) as gateway:
        await reading_replies(gateway)
        await replayed(gateway)
        answer = await gateway.call("POST", f"{OWN}/c1/restore", {"version": 1})
        name = (await gateway.get(f"{CONNECTOR}/c1")).body["name"]

    assert (answer.status, answer.message, name) == (status, message, "other")


async def in_memory(gateway: HttpGateway) -> tuple[str, str]:
    restored = await gateway.call("POST", f"{OWN}/pre/restore", {"version": 1})
    tried = await gateway.call("POST", f"{OWN}/sys/_dry_run", {"params": {}})
    return restored.message, tried.message


async def test_connectors_of_the_settings_are_not_restored_and_system_ones_not_tried() -> None:
    installation = await Installation().create_topics()
    config: JsonObject = {"url": "http://target/a", "hasAuth": False}
    pre = InMemoryConnector(connector_id="pre", connector_type_id=".webhook", name="Pre", config=config)
    system = InMemoryConnector(connector_id="sys", connector_type_id=".webhook", name="Sys", is_system=True)
    installation.in_memory = InMemoryConnectors([pre, system])
    async with http_gateway(installation) as gateway:
        await reading_replies(gateway)
        refusals = await in_memory(gateway)
        tried = await gateway.call("POST", f"{OWN}/pre/_dry_run", {"params": {"body": "x"}})

    assert refusals == ("Preconfigured action pre can not be updated.", "Execution of system action is not allowed")
    assert [call["url"] for call in tried.body["calls"]] == ["http://target/a"]


async def test_a_history_goes_on_only_where_a_page_has_ended() -> None:
    async with http_gateway(await saved_twice()) as gateway:
        answer = await gateway.get(f"{OWN}/c1/history?cursor=x")

    assert (answer.status, answer.message) == (
        400,
        'cursor "x" is not one that a page has named; start without a cursor',
    )
