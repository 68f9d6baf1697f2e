"""Facts about connectors. An event never changes; `version` counts the events of its connector from 1."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from connectory.domain.delivery import DeliveryPolicy
from connectory.domain.json_types import JsonObject
from connectory.domain.secrets import SealedSecrets


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorCreated:
    connector_id: str
    space_id: str
    version: int
    at: datetime
    by: str | None
    command_id: str
    name: str
    connector_type_id: str
    config: JsonObject
    secrets: SealedSecrets


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorUpdated:
    """Name, config and secrets as they are from now on. The type is repeated: it never changes."""

    connector_id: str
    space_id: str
    version: int
    at: datetime
    by: str | None
    command_id: str
    name: str
    connector_type_id: str
    config: JsonObject
    secrets: SealedSecrets


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorDeleted:
    connector_id: str
    space_id: str
    version: int
    at: datetime
    by: str | None
    command_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorEnabled:
    connector_id: str
    space_id: str
    version: int
    at: datetime
    by: str | None
    command_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorDisabled:
    connector_id: str
    space_id: str
    version: int
    at: datetime
    by: str | None
    command_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPolicySet:
    """The whole policy as it is from now on."""

    connector_id: str
    space_id: str
    version: int
    at: datetime
    by: str | None
    command_id: str
    policy: DeliveryPolicy


ConnectorEvent: TypeAlias = (
    ConnectorCreated | ConnectorUpdated | ConnectorDeleted | ConnectorEnabled | ConnectorDisabled | DeliveryPolicySet
)
