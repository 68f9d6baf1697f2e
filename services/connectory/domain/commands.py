"""Wishes to change a connector. A command may be refused."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from connectory.domain.delivery import DeliveryPolicy
from connectory.domain.json_types import JsonObject
from connectory.domain.secrets import SealedSecrets, WrappedKey


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateConnector:
    """`command_id` makes a retry harmless; `at` is when the gateway accepted the wish; `by` is the caller's name."""

    command_id: str
    connector_id: str
    space_id: str
    at: datetime
    by: str | None
    name: str
    connector_type_id: str
    config: JsonObject
    secrets: SealedSecrets


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateConnector:
    """A full replacement of name, config and secrets. With `expected_version` it is refused on any other version."""

    command_id: str
    connector_id: str
    space_id: str
    at: datetime
    by: str | None
    expected_version: int | None
    name: str
    config: JsonObject
    secrets: SealedSecrets


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteConnector:
    command_id: str
    connector_id: str
    space_id: str
    at: datetime
    by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnableConnector:
    command_id: str
    connector_id: str
    space_id: str
    at: datetime
    by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisableConnector:
    """Until it is enabled again no request through it is run; those that wait end."""

    command_id: str
    connector_id: str
    space_id: str
    at: datetime
    by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDeliveryPolicy:
    """A full replacement of the policy."""

    command_id: str
    connector_id: str
    space_id: str
    at: datetime
    by: str | None
    policy: DeliveryPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportConnector:
    """A connector as another place has it: nothing is validated, and no secrets come along.

    `origin_id` is the id that it had there when it could not keep it. With `overwrite` a connector of the same space
    that has the id is replaced, its type and secrets included.
    """

    command_id: str
    connector_id: str
    space_id: str
    at: datetime
    by: str | None
    name: str
    connector_type_id: str
    config: JsonObject
    is_missing_secrets: bool
    origin_id: str | None
    overwrite: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreConnector:
    """Name and config as they were in an earlier version; whatever secrets there are now stay.

    It is refused unless the connector is at `expected_version`; 0: it is deleted. Of such a one the secrets are gone
    for good: `needs_secrets` says whether it will lack them.
    """

    command_id: str
    connector_id: str
    space_id: str
    at: datetime
    by: str | None
    expected_version: int
    restored_version: int
    name: str
    connector_type_id: str
    config: JsonObject
    needs_secrets: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RewrapSecrets:
    """Put the data key under another key-encryption key; the secrets themselves stay as they are.

    `replaces` is the wrapped key that was found: a connector that has another one by now was changed meanwhile, and
    keeps what it has.
    """

    command_id: str
    connector_id: str
    space_id: str
    at: datetime
    by: str | None
    replaces: WrappedKey
    wrapped_key: WrappedKey


ConnectorCommand: TypeAlias = (
    CreateConnector
    | UpdateConnector
    | DeleteConnector
    | EnableConnector
    | DisableConnector
    | SetDeliveryPolicy
    | ImportConnector
    | RestoreConnector
    | RewrapSecrets
)
