"""Commands and events with everything filled in, for tests that care about one thing."""

from datetime import UTC, datetime
from typing import Any

from connectory.domain.commands import CreateConnector, DeleteConnector, UpdateConnector
from connectory.domain.events import ConnectorCreated, ConnectorDeleted, ConnectorUpdated
from connectory.domain.secrets import NO_SECRETS

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
STAMP: dict[str, Any] = {"connector_id": "c1", "space_id": "default", "at": AT, "by": "ada"}
BODY: dict[str, Any] = {"name": "hook", "config": {"url": "http://localhost/"}, "secrets": NO_SECRETS}


def create(**changes: Any) -> CreateConnector:
    return CreateConnector(**{"command_id": "k1", "connector_type_id": ".webhook", **STAMP, **BODY, **changes})


def update(**changes: Any) -> UpdateConnector:
    return UpdateConnector(**{"command_id": "k2", "expected_version": None, **STAMP, **BODY, **changes})


def delete(**changes: Any) -> DeleteConnector:
    return DeleteConnector(**{"command_id": "k3", **STAMP, **changes})


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
