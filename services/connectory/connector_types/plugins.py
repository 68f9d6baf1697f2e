"""Connector types from other distributions: each an entry point in the group `connectory.connector_types`.

They are found when the program starts. One that cannot be loaded keeps it from starting: to go on without would leave
its connectors behind as of an unknown type.
"""

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from connectory.connector_types import ALL
from connectory.connector_types.contract import AnyConnectorType, ConnectorType
from connectory.domain.errors import SettingsInvalid

GROUP: Final = "connectory.connector_types"


def all_types() -> tuple[AnyConnectorType, ...]:
    """Our own types, then those of plug-ins in the order of their entry points' names. Raises `SettingsInvalid`."""
    return with_plugins(ALL, entry_points(group=GROUP))


def with_plugins(own: Iterable[AnyConnectorType], plugins: Iterable[EntryPoint]) -> tuple[AnyConnectorType, ...]:
    types = {each.id: each for each in own}
    for entry in sorted(plugins, key=lambda each: each.name):
        loaded = _loaded(entry)
        if loaded.id in types:
            raise SettingsInvalid(_problem(entry, f"there is a connector type {loaded.id} already"))
        types[loaded.id] = loaded
    return tuple(types.values())


def _loaded(entry: EntryPoint) -> AnyConnectorType:
    try:
        value = entry.load()
    except Exception as error:  # a plug-in may fail in any way when it is imported
        raise SettingsInvalid(_problem(entry, f"{type(error).__name__}: {error}")) from error
    if not isinstance(value, ConnectorType):
        raise SettingsInvalid(_problem(entry, f"its type is {type(value).__name__}, not ConnectorType"))
    return value


def _problem(entry: EntryPoint, text: str) -> str:
    distribution = entry.dist.name if entry.dist else "a distribution"
    return (
        f'the connector type "{entry.name}" ({entry.value}) of {distribution} cannot be used: {text}. '
        "Mend or uninstall the distribution"
    )
