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


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorImported:
    """Came from elsewhere without secrets, in place of whatever had the id before in this space."""

    connector_id: str
    space_id: str
    version: int
    at: datetime
    by: str | None
    command_id: str
    name: str
    connector_type_id: str
    config: JsonObject
    is_missing_secrets: bool
    origin_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorRestored:
    """Name and config are those of an earlier version again, with the secrets that there were just before, if any."""

    connector_id: str
    space_id: str
    version: int
    at: datetime
    by: str | None
    command_id: str
    restored_version: int
    name: str
    connector_type_id: str
    config: JsonObject
    is_missing_secrets: bool
    secrets: SealedSecrets


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsRewrapped:
    """The same secrets, whose data key is now under the key-encryption key `key_id`."""

    connector_id: str
    space_id: str
    version: int
    at: datetime
    by: str | None
    command_id: str
    key_id: str
    secrets: SealedSecrets


ConnectorEvent: TypeAlias = (
    ConnectorCreated
    | ConnectorUpdated
    | ConnectorDeleted
    | ConnectorEnabled
    | ConnectorDisabled
    | DeliveryPolicySet
    | ConnectorImported
    | ConnectorRestored
    | SecretsRewrapped
)
