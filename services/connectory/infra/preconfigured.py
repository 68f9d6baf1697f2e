"""The connectors in memory, from the settings and the types; and what is odd about them, for the log and `doctor`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from connectory.connector_types import alert_history
from connectory.connector_types.registry import TypeRegistry
from connectory.domain.errors import Refused
from connectory.domain.in_memory_connectors import InMemoryConnector, InMemoryConnectors, system_connector_id
from connectory.infra.crypto import redacting
from connectory.infra.settings import PreconfiguredSettings

ALERT_HISTORY: Final = InMemoryConnector(
    connector_id=alert_history.CONNECTOR_ID,
    connector_type_id=".index",
    name="Alert history Elasticsearch index",
    config={"index": alert_history.INDEX},
)


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why runs through a connector of the settings would fail. The text holds no secret."""

    connector_id: str
    problem: str


def in_memory_connectors(settings: PreconfiguredSettings, types: TypeRegistry) -> InMemoryConnectors:
    """The built-in one, those of the settings in their order, and one for each system type."""
    return InMemoryConnectors([*_built_in(settings), *_of_settings(settings), *_system(types)])


def unknown_types(connectors: InMemoryConnectors, types: TypeRegistry) -> Iterator[Flaw]:
    """All that is looked at when a role starts: one wrong connector keeps no other from working."""
    registered = {each.id for each in types}
    for each in connectors.shown():
        if each.connector_type_id not in registered:
            yield Flaw(each.connector_id, Refused.type_not_registered(each.connector_type_id).message)


def flaws(connectors: InMemoryConnectors, types: TypeRegistry) -> Iterator[Flaw]:
    """What each would be refused for when it ran."""
    for each in connectors.shown():
        try:
            with redacting(each.secrets):
                types.prepare_in_memory(each.connector_type_id, each.config, each.secrets)
        except Refused as refusal:
            yield Flaw(each.connector_id, refusal.message)


def _system(types: TypeRegistry) -> Iterator[InMemoryConnector]:
    for each in types:
        if each.is_system or each.system_variant is not None:
            yield InMemoryConnector(
                connector_id=system_connector_id(each.id), connector_type_id=each.id, name=each.name, is_system=True
            )


def _built_in(settings: PreconfiguredSettings) -> Iterator[InMemoryConnector]:
    if settings.alert_history_index:
        yield ALERT_HISTORY


def _of_settings(settings: PreconfiguredSettings) -> Iterator[InMemoryConnector]:
    for connector_id, entry in settings.connectors.items():
        yield InMemoryConnector(
            connector_id=connector_id,
            connector_type_id=entry.action_type_id,
            name=entry.name,
            config=entry.config,
            secrets=entry.secrets,
            expose_config=entry.expose_config,
        )
