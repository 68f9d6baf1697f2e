"""Connectors in memory as they come from settings and types, and what is said about them when the gateway starts."""

import asyncio
from collections.abc import Collection, Sequence

import pytest

from connectory.connector_types import ALL
from connectory.connector_types.contract import TypeSettings
from connectory.connector_types.registry import TypeRegistry
from connectory.domain.delivery import AS_SETTINGS_SAY
from connectory.domain.errors import Unavailable
from connectory.gateway import shadowing
from connectory.gateway.shadowing import warn_of_shadowed
from connectory.infra.egress.hosts import AllowedHosts
from connectory.infra.in_memory_rows import InMemoryRowStore
from connectory.infra.preconfigured import Flaw, flaws, in_memory_connectors, unknown_types
from connectory.infra.settings import PreconfiguredSettings, load_settings
from connectory_projections.connectors_by_space import ConnectorView
from tests.read_models import InMemoryReadModels
from tests.unit.connectors import AT

TYPES = TypeRegistry(ALL, settings=TypeSettings(hosts=AllowedHosts(["*"])), enabled_action_types=())
ENTRIES = {
    "ops": {"name": "Ops", "actionTypeId": ".webhook", "config": {"url": "http://a", "hasAuth": False}},
    "broken": {
        "name": "Broken",
        "actionTypeId": ".webhook",
        "config": {"url": "sentinel"},
        "secrets": {"x": "sentinel"},
    },
    "gone": {"name": "Gone", "actionTypeId": ".gone"},
}
SAVED = ConnectorView(
    connector_id="ops",
    space_id="default",
    name="saved",
    name_sort_key=b"",
    connector_type_id=".webhook",
    config={},
    version=1,
    is_missing_secrets=False,
    created_at=AT,
    created_by=None,
    updated_at=AT,
    updated_by=None,
    enabled=True,
    delivery_policy=AS_SETTINGS_SAY,
)


class Views(InMemoryReadModels):
    """Has one saved connector, and is away when it is first asked."""

    def __init__(self) -> None:
        super().__init__(InMemoryRowStore())
        self.away = True

    async def with_ids(self, connector_ids: Collection[str]) -> Sequence[ConnectorView]:
        was_away, self.away = self.away, False
        if was_away:
            raise Unavailable("away")
        return [SAVED] if SAVED.connector_id in connector_ids else []


def preconfigured(**more: object) -> PreconfiguredSettings:
    values = {"xpack.actions.preconfigured": ENTRIES, **{f"xpack.actions.{name}": each for name, each in more.items()}}
    return load_settings(values, environ={}).preconfigured


def test_they_keep_the_order_of_the_settings() -> None:
    found = in_memory_connectors(preconfigured(), TYPES)

    assert [each.connector_id for each in found.shown()] == ["ops", "broken", "gone"]


def test_each_type_with_a_system_variant_has_a_connector_that_nobody_is_shown() -> None:
    found = in_memory_connectors(preconfigured(), TYPES)

    assert [each.connector_id for each in found if each.is_system] == ["system-connector-.http"]


def test_the_index_of_alert_history_comes_with_a_switch() -> None:
    connectors = in_memory_connectors(preconfigured(preconfiguredAlertHistoryEsIndex=True), TYPES)
    built_in = connectors.get("preconfigured-alert-history-es-index")
    assert built_in is not None
    assert (built_in.connector_type_id, built_in.name) == (".index", "Alert history Elasticsearch index")
    assert built_in.config == {"index": "kibana-alert-history-default"}


def test_a_start_looks_at_the_types_only() -> None:
    found = list(unknown_types(in_memory_connectors(preconfigured(), TYPES), TYPES))
    assert found == [Flaw("gone", 'Action type ".gone" is not registered.')]


def test_a_look_at_all_of_them_shows_no_secret_and_does_not_ask_which_types_are_enabled() -> None:
    found = list(flaws(in_memory_connectors(preconfigured(), TYPES), TYPES))
    assert [each.connector_id for each in found] == ["broken", "gone"]
    assert "sentinel" not in repr(found)


async def test_saved_connectors_with_ids_of_the_settings_are_named(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadowing, "RETRY_SECONDS", 0)
    async with asyncio.timeout(10):
        await warn_of_shadowed(in_memory_connectors(preconfigured(), TYPES), Views())
    assert [record.getMessage() for record in caplog.records if record.name == shadowing.__name__] == [
        (
            "saved connectors have the same ids as preconfigured ones, which win: ops. Of the saved ones, only their "
            "deletion is possible"
        )
    ]
