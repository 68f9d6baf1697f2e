"""Commands and events with everything filled in, for tests that care about one thing."""

from datetime import UTC, datetime
from typing import Any

from connectory.domain.commands import (
    CreateConnector,
    DeleteConnector,
    DisableConnector,
    EnableConnector,
    ImportConnector,
    RestoreConnector,
    RewrapSecrets,
    SetDeliveryPolicy,
    UpdateConnector,
)
from connectory.domain.delivery import DeliveryPolicy
from connectory.domain.events import (
    ConnectorCreated,
    ConnectorDeleted,
    ConnectorDisabled,
    ConnectorEnabled,
    ConnectorImported,
    ConnectorRestored,
    ConnectorUpdated,
    DeliveryPolicySet,
    SecretsRewrapped,
)
from connectory.domain.secrets import NO_SECRETS, SealedSecrets, WrappedKey

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
STAMP: dict[str, Any] = {"connector_id": "c1", "space_id": "default", "at": AT, "by": "ada"}
BODY: dict[str, Any] = {"name": "hook", "config": {"url": "http://localhost/"}, "secrets": NO_SECRETS}
ORIGINAL: dict[str, Any] = {
    "name": "hook",
    "connector_type_id": ".webhook",
    "config": {"url": "http://localhost/"},
    "is_missing_secrets": True,
    "origin_id": None,
}
OLD_KEY, NEW_KEY = WrappedKey("old", b"wrapped"), WrappedKey("new", b"wrapped anew")
SEALED = SealedSecrets({"password": b"sealed"}, OLD_KEY)
POLICY = DeliveryPolicy(max_attempts=5, requests_per_second=0.5)


def create(**changes: Any) -> CreateConnector:
    return CreateConnector(**{"command_id": "k1", "connector_type_id": ".webhook", **STAMP, **BODY, **changes})


def update(**changes: Any) -> UpdateConnector:
    return UpdateConnector(**{"command_id": "k2", "expected_version": None, **STAMP, **BODY, **changes})


def delete(**changes: Any) -> DeleteConnector:
    return DeleteConnector(**{"command_id": "k3", **STAMP, **changes})


def enable(**changes: Any) -> EnableConnector:
    return EnableConnector(**{"command_id": "k4", **STAMP, **changes})


def disable(**changes: Any) -> DisableConnector:
    return DisableConnector(**{"command_id": "k5", **STAMP, **changes})


def set_policy(**changes: Any) -> SetDeliveryPolicy:
    return SetDeliveryPolicy(**{"command_id": "k6", "policy": POLICY, **STAMP, **changes})


def created(**changes: Any) -> ConnectorCreated:
    return ConnectorCreated(
        **{"command_id": "k1", "version": 1, "connector_type_id": ".webhook", **STAMP, **BODY, **changes}
    )


def updated(**changes: Any) -> ConnectorUpdated:
    return ConnectorUpdated(
        **{"command_id": "k2", "version": 2, "connector_type_id": ".webhook", **STAMP, **BODY, **changes}
    )


def deleted(**changes: Any) -> ConnectorDeleted:
    return ConnectorDeleted(**{"command_id": "k3", "version": 2, **STAMP, **changes})


def enabled(**changes: Any) -> ConnectorEnabled:
    return ConnectorEnabled(**{"command_id": "k4", "version": 3, **STAMP, **changes})


def disabled(**changes: Any) -> ConnectorDisabled:
    return ConnectorDisabled(**{"command_id": "k5", "version": 2, **STAMP, **changes})


def policy_set(**changes: Any) -> DeliveryPolicySet:
    return DeliveryPolicySet(**{"command_id": "k6", "version": 2, "policy": POLICY, **STAMP, **changes})


def import_(**changes: Any) -> ImportConnector:
    return ImportConnector(**{"command_id": "k7", "overwrite": False, **STAMP, **ORIGINAL, **changes})


def imported(**changes: Any) -> ConnectorImported:
    return ConnectorImported(**{"command_id": "k7", "version": 1, **STAMP, **ORIGINAL, **changes})


def restore(**changes: Any) -> RestoreConnector:
    details = {"name": "hook", "connector_type_id": ".webhook", "config": {"url": "http://localhost/"}}
    versions = {"expected_version": 2, "restored_version": 1, "needs_secrets": True}
    return RestoreConnector(**{"command_id": "k9", **details, **versions, **STAMP, **changes})


def restored(**changes: Any) -> ConnectorRestored:
    more = {"version": 3, "restored_version": 1, "connector_type_id": ".webhook", "is_missing_secrets": False}
    return ConnectorRestored(**{"command_id": "k9", **more, **STAMP, **BODY, **changes})


def rewrap(**changes: Any) -> RewrapSecrets:
    return RewrapSecrets(**{"command_id": "k8", "replaces": OLD_KEY, "wrapped_key": NEW_KEY, **STAMP, **changes})


def rewrapped(**changes: Any) -> SecretsRewrapped:
    sealed = SealedSecrets(SEALED.ciphertexts, NEW_KEY)
    return SecretsRewrapped(
        **{"command_id": "k8", "version": 2, "key_id": "new", "secrets": sealed, **STAMP, **changes}
    )
