"""Requests through connectors that no log holds: those of the configuration, and those of system types."""

from dataclasses import replace
from typing import Any

import pytest

from connectory.connector_types.contract import TypeSettings
from connectory.connector_types.registry import TypeRegistry
from connectory.connector_types.webhook import WEBHOOK
from connectory.domain.execution import Outcome
from connectory.domain.in_memory_connectors import InMemoryConnector, InMemoryConnectors
from connectory.domain.rate_limit import RateLimit
from connectory.executor import LimitRule, RunSettings
from connectory.executor.policies import RunPolicies
from connectory.infra.crypto import KeyRing, SecretsVault
from connectory.infra.egress.hosts import AllowedHosts
from tests.unit.installation import Installation

OPS = InMemoryConnector(
    connector_id="ops",
    connector_type_id=".webhook",
    name="Ops",
    config={"url": "http://target/ops"},
    secrets={"user": "u", "password": "sentinel"},
)


def registry(**options: Any) -> TypeRegistry:
    settings = TypeSettings(hosts=AllowedHosts(["*"]))
    return TypeRegistry([WEBHOOK], settings=settings, **options)


@pytest.fixture
async def installation() -> Installation:
    made = await Installation().create_topics()
    made.in_memory = InMemoryConnectors([OPS])
    return made


async def ended(installation: Installation, **request: Any) -> Outcome:
    await installation.submit("r1", connector_id="ops", **{"max_attempts": 1, **request})
    async with installation.executor():
        (final,) = await installation.final_outcomes(1)
    return final


@pytest.mark.parametrize("space_id", ["default", "red"])
async def test_it_runs_in_every_space_without_a_key(installation: Installation, space_id: str) -> None:
    installation.vault = SecretsVault(KeyRing(None))
    final = await ended(installation, space_id=space_id)
    assert (final.outcome, final.space_id, final.in_memory) == ("success", space_id, True)
    assert (final.connector_name, final.connector_type_id) == ("Ops", ".webhook")
    assert [call.url for call in installation.target.calls] == ["http://target/ops"]


async def test_it_wins_over_a_saved_connector_of_the_same_id(installation: Installation) -> None:
    await installation.connector("ops")
    await ended(installation)
    assert "Authorization" in installation.target.calls[0].headers


async def test_a_saved_connector_that_is_disabled_does_not_stop_the_one_that_wins(installation: Installation) -> None:
    await installation.connector("ops", enabled=False)
    assert (await ended(installation)).outcome == "success"


async def test_types_that_are_not_enabled_do_not_matter_to_it(installation: Installation) -> None:
    installation.registry = registry(enabled_action_types=())
    assert (await ended(installation)).outcome == "success"


async def test_the_licence_does(installation: Installation) -> None:
    installation.registry = registry(license_type="basic")
    final = await ended(installation, max_attempts=3)
    assert (final.reason, final.error, final.attempt) == (
        "type-disabled",
        (
            "Action type .webhook is disabled because your basic license does not support it. "
            "Please upgrade your license."
        ),
        1,
    )


async def test_a_type_that_is_not_registered_fails_the_run(installation: Installation) -> None:
    installation.in_memory = InMemoryConnectors([replace(OPS, connector_type_id=".gone")])
    final = await ended(installation)
    assert (final.reason, final.error) == ("type-not-registered", 'Action type ".gone" is not registered.')


async def test_its_config_is_checked_when_it_runs(installation: Installation) -> None:
    installation.in_memory = InMemoryConnectors([replace(OPS, config={"url": 1})])
    final = await ended(installation)
    assert final.error is not None
    assert final.error.startswith(
        "error validating connector type config: ✖ Invalid input: expected string, received number\n  → at url"
    )


async def test_params_that_do_not_fit_are_told_of_before_its_config(installation: Installation) -> None:
    installation.in_memory = InMemoryConnectors([replace(OPS, config={"url": 1})])
    final = await ended(installation, params={"body": 1})
    assert final.reason == "params-invalid"


async def test_a_request_for_a_version_of_it_is_refused(installation: Installation) -> None:
    final = await ended(installation, connector_version=1)
    assert (final.reason, installation.target.calls) == ("connector-version-mismatch", [])


def test_rates_by_host_and_type_hold_for_it_too() -> None:
    limit = RateLimit(per_second=5, burst=1)
    rules = [LimitRule(limit=limit, host="target")]
    policy = RunPolicies(RunSettings(max_attempts=7, limit_rules=rules), registry()).of(OPS)
    assert (policy.rate_limit, policy.max_attempts) == (limit, 7)


async def test_a_type_may_ask_for_more_than_the_right_to_run(installation: Installation) -> None:
    wary = replace(WEBHOOK, id=".wary", is_system=True, may_run=lambda _params, request: request.requested_by == "eve")
    installation.registry = TypeRegistry([wary], settings=TypeSettings(hosts=AllowedHosts(["*"])))
    installation.in_memory = InMemoryConnectors([replace(OPS, connector_type_id=".wary", is_system=True)])
    final = await ended(installation, max_attempts=3, requested_by="bob")
    assert (final.reason, final.error) == ("unauthorized", 'Unauthorized to execute a ".wary" action')
    assert (final.attempt, installation.target.calls) == (1, [])


async def test_who_has_it_runs(installation: Installation) -> None:
    wary = replace(WEBHOOK, id=".wary", is_system=True, may_run=lambda _params, request: request.requested_by == "eve")
    installation.registry = TypeRegistry([wary], settings=TypeSettings(hosts=AllowedHosts(["*"])))
    installation.in_memory = InMemoryConnectors([replace(OPS, connector_type_id=".wary", is_system=True)])
    assert (await ended(installation, requested_by="eve")).outcome == "success"
