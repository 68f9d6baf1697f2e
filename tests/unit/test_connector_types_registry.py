"""The registry: what is refused, in which order and words, and what is saved."""

from dataclasses import replace
from typing import Any

import pytest

from connectory.connector_types import ALL
from connectory.connector_types.contract import ConnectorType, EgressFailed, EgressRefused, Run, RunFailed, TypeSettings
from connectory.connector_types.registry import TypeRegistry
from connectory.connector_types.schemas import Schema
from connectory.connector_types.server_log import SERVER_LOG, Params
from connectory.domain.errors import Refused
from connectory.domain.execution import ErrorSource, Failed, Result, Succeeded
from connectory.domain.json_types import JsonObject
from connectory.infra.egress import AllowedHosts
from tests.connector_runs import run_action
from tests.connector_types import rendered

SETTINGS = TypeSettings(hosts=AllowedHosts(["*"]))
WEBHOOK_CONFIG = {"url": "http://target.test/"}


class Strict(Schema):
    key: str


async def succeed(_run: Run[Strict, Strict, Params]) -> Result:
    return Succeeded()


PICKY = ConnectorType(
    id=".picky",
    name="Picky",
    minimum_license="platinum",
    feature_ids=(),
    config=Strict,
    secrets=Strict,
    params=Params,
    execute=succeed,
    check_config=lambda config, _settings: "config refused" if config.key == "bad" else None,
    check_secrets=lambda secrets, _settings: "secrets refused" if secrets.key == "bad" else None,
    check_connector=lambda config, secrets: "pair refused" if config.key == secrets.key else None,
)


def registry(**settings: Any) -> TypeRegistry:
    return TypeRegistry([*ALL, PICKY], settings=SETTINGS, **settings)


def refusal(type_id: str, config: dict[str, Any], secrets: dict[str, Any], **settings: Any) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        registry(**settings).check(type_id, config, secrets)
    return caught.value.code, caught.value.message


@pytest.mark.parametrize(
    ("config", "secrets", "code", "text"),
    [
        ({}, {}, "config-invalid", "error validating connector type config: ✖ Invalid input: expected string, "),
        ({"key": "bad"}, {}, "config-invalid", "error validating connector type config: config refused"),
        ({"key": "a"}, {"x": 1}, "secrets-invalid", "error validating connector type secrets: ✖ Unrecognized key: "),
        ({"key": "a"}, {"key": "bad"}, "secrets-invalid", "error validating connector type secrets: secrets refused"),
        ({"key": "a"}, {"key": "a"}, "connector-invalid", "error validating action type connector: pair refused"),
        ({"key": "a"}, {"key": "b"}, "type-disabled", 'action type ".picky" is not enabled in the Kibana config '),
    ],
)
def test_checks_come_in_the_order_of_the_contract(
    config: dict[str, Any], secrets: dict[str, Any], code: str, text: str
) -> None:
    refused_with, message = refusal(".picky", config, secrets, enabled_action_types=[])

    assert (refused_with, message[: len(text)]) == (code, text)


def test_an_unregistered_type_is_refused_before_all_else() -> None:
    expected = ("type-not-registered", 'Action type ".none" is not registered.')

    assert refusal(".none", {}, {}, enabled_action_types=[]) == expected


def test_configuration_is_checked_before_the_licence() -> None:
    both = refusal(".picky", {"key": "a"}, {"key": "b"}, enabled_action_types=[], license_type="basic")
    licence = refusal(".picky", {"key": "a"}, {"key": "b"}, license_type="gold")

    assert both[1] == 'action type ".picky" is not enabled in the Kibana config xpack.actions.enabledActionTypes'
    assert licence[1] == (
        "Action type .picky is disabled because your gold license does not support it. Please upgrade your license."
    )


@pytest.mark.parametrize(
    ("tier", "enabled"),
    [("basic", False), ("standard", False), ("gold", False), ("platinum", True), ("enterprise", True), ("trial", True)],
)
def test_a_tier_enables_what_asks_for_it_or_less(tier: str, enabled: bool) -> None:
    assert registry(license_type=tier).is_enabled_in_license(".picky") is enabled


def test_a_listed_type_is_enabled_and_the_others_are_not() -> None:
    types = registry(enabled_action_types=[".webhook"])

    assert [each.id for each in types if types.is_enabled(each.id)] == [".webhook"]


def test_the_aggregate_learns_of_a_disabled_type_after_its_config() -> None:
    types = registry(enabled_action_types=[])

    with pytest.raises(Refused, match="expected string, received undefined"):
        types.check_config(".webhook", {})
    with pytest.raises(Refused, match="is not enabled"):
        types.check_config(".webhook", WEBHOOK_CONFIG)


def test_a_disabled_type_does_not_run_whatever_its_config() -> None:
    with pytest.raises(Refused, match="is not enabled"):
        registry(enabled_action_types=[]).prepare(".webhook", {}, {})


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({}, "✖ Invalid input: expected string, received undefined\n  → at message"),
        ({"message": "x", "level": "loud"}, "✖ Invalid option: expected one of "),
    ],
)
def test_params_that_do_not_fit_are_refused(params: dict[str, Any], text: str) -> None:
    types = registry()
    prepared = types.prepare(".server-log", {}, {})

    with pytest.raises(Refused) as caught:
        types.parse_params(prepared.type, params)
    assert caught.value.message.startswith(f"error validating action params: {text}")


async def outcome(raised: Exception) -> Result:
    async def execute(_run: object) -> Result:
        raise raised

    types = TypeRegistry([replace(SERVER_LOG, execute=execute)], settings=SETTINGS)
    return await run_action(types, ".server-log", {"message": "x"})


@pytest.mark.parametrize(
    ("raised", "retry", "source", "reason"),
    [
        (ValueError("broken"), True, ErrorSource.FRAMEWORK, "internal"),
        (RunFailed("broken", ErrorSource.USER), True, ErrorSource.USER, "run-failed"),
        (EgressFailed("broken"), True, ErrorSource.FRAMEWORK, "egress-failed"),
        (EgressRefused("broken"), False, ErrorSource.USER, "egress-refused"),
    ],
)
async def test_what_a_type_raises_becomes_a_failed_result(
    raised: Exception, retry: bool, source: ErrorSource, reason: str
) -> None:
    assert await outcome(raised) == Failed(
        message="an error occurred while running the action",
        service_message="broken",
        retry=retry,
        error_source=source,
        reason=reason,
    )


async def test_a_run_ends_with_the_result_of_the_type() -> None:
    assert await run_action(registry(), ".server-log", {"message": "x"}) == Succeeded()


def test_params_are_rendered_in_the_way_of_the_type() -> None:
    variables: JsonObject = {"text": 'a "b"'}

    assert rendered(".webhook", {"body": "{{text}}"}, variables) == {"body": 'a \\"b\\"'}
    assert rendered(".webhook", {}, variables) == {}
    assert rendered(".server-log", {"message": "{{text}}"}, variables) == {"message": 'a "b"'}


def test_no_repr_shows_a_secret() -> None:
    prepared = registry().prepare(".webhook", WEBHOOK_CONFIG, {"user": "me", "password": "sentinel"})

    assert "sentinel" not in repr(prepared)
