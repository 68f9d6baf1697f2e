"""Connectors that no log holds: those of the configuration, and the one of each system type.

They are the same in every space and never change while the process runs. What may not be done to them is said here,
with the texts of the wire contract.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from connectory.domain.delivery import AS_SETTINGS_SAY, DeliveryPolicy
from connectory.domain.errors import Refused
from connectory.domain.json_types import JsonObject

UNVERSIONED: Final = 0
"""What stands for the version of a connector that has none: saved ones begin at 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InMemoryConnector:
    """`config` is as the operator wrote it, and `secrets` are in plain text; both are checked when the connector runs.

    `expose_config`: callers may see the config.
    """

    connector_id: str
    connector_type_id: str
    name: str
    config: JsonObject = field(default_factory=dict)
    secrets: JsonObject = field(default_factory=dict, repr=False)
    expose_config: bool = False
    is_system: bool = False

    @property
    def enabled(self) -> bool:
        return True

    @property
    def delivery_policy(self) -> DeliveryPolicy:
        return AS_SETTINGS_SAY


class InMemoryConnectors:
    """All of them by id, in the order of the configuration. They win over saved connectors with the same ids."""

    def __init__(self, connectors: Iterable[InMemoryConnector] = ()) -> None:
        self._by_id = {each.connector_id: each for each in connectors}

    def __iter__(self) -> Iterator[InMemoryConnector]:
        return iter(self._by_id.values())

    def __contains__(self, connector_id: str) -> bool:
        return connector_id in self._by_id

    def get(self, connector_id: str) -> InMemoryConnector | None:
        return self._by_id.get(connector_id)

    def shown(self) -> list[InMemoryConnector]:
        """Those that callers may see."""
        return [each for each in self if not each.is_system]

    def system(self) -> list[InMemoryConnector]:
        return [each for each in self if each.is_system]

    def visible(self, connector_id: str) -> InMemoryConnector | None:
        """The connector as it answers a get. Raises `Refused` for a system connector, which is hidden."""
        found = self.get(connector_id)
        if found is not None and found.is_system:
            raise Refused("connector-hidden", f"Connector {connector_id} not found")
        return found

    def require_creatable(self, connector_id: str | None, type_id: str, *, is_system_type: bool) -> None:
        """Raise `Refused` for what cannot be created, because it is or would be in memory."""
        taken = self.get(connector_id) if connector_id is not None else None
        if is_system_type or (taken is not None and taken.is_system):
            raise _refused(f"System action creation is forbidden. Action type: {type_id}.")
        if taken is not None:
            raise _refused(f"This {connector_id} already exists in a preconfigured action.")

    def require_changeable(self, connector_id: str) -> None:
        """Raise `Refused` for a connector that cannot be updated, nor changed in any other way."""
        found = self.get(connector_id)
        if found is not None:
            raise _refused(f"{_kind(found)} action {connector_id} can not be updated.")

    def require_no_system(self, connector_id: str) -> None:
        """Raise `Refused` for a system connector that is to be deleted."""
        found = self.get(connector_id)
        if found is not None and found.is_system:
            raise self.undeletable(found)

    def undeletable(self, connector: InMemoryConnector) -> Refused:
        return _refused(f"{_kind(connector)} action {connector.connector_id} is not allowed to delete.")

    def require_executable(self, connector_id: str) -> None:
        """Raise `Refused` for a system connector, which nobody runs directly."""
        found = self.get(connector_id)
        if found is not None and found.is_system:
            raise _refused("Execution of system action is not allowed")


NO_IN_MEMORY_CONNECTORS: Final = InMemoryConnectors()


def system_connector_id(type_id: str) -> str:
    """The id of the one connector of a system type."""
    return f"system-connector-{type_id}"


def _kind(connector: InMemoryConnector) -> str:
    return "System" if connector.is_system else "Preconfigured"


def _refused(text: str) -> Refused:
    return Refused("connector-in-memory", text)
