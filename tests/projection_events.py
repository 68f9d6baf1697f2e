"""Events as projections read them, with values that a test does not care about filled in."""

import json
from collections.abc import Iterable
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

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
from connectory.domain.execution import Action, Outcome, RequestPosition
from connectory.domain.json_types import JsonObject
from connectory.domain.secrets import SealedSecrets
from connectory_projections.model import AnyProjection, Row, RowChange, Sourced

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def minutes(count: float) -> datetime:
    """That many minutes after noon."""
    return NOON + timedelta(minutes=count)


def created(connector_id: str = "c1", **fields: Any) -> ConnectorCreated:
    return ConnectorCreated(**_connector(connector_id, version=1, **fields))


def updated(connector_id: str = "c1", **fields: Any) -> ConnectorUpdated:
    return ConnectorUpdated(**_connector(connector_id, **{"version": 2, "at": minutes(2), **fields}))


def deleted(connector_id: str = "c1", *, space_id: str = "default", version: int = 3) -> ConnectorDeleted:
    return ConnectorDeleted(**_change(connector_id, space_id=space_id, version=version, at=minutes(3), by=None))


def enabled(connector_id: str = "c1", **fields: Any) -> ConnectorEnabled:
    return ConnectorEnabled(**_change(connector_id, **fields))


def disabled(connector_id: str = "c1", **fields: Any) -> ConnectorDisabled:
    return ConnectorDisabled(**_change(connector_id, **fields))


def policy_set(policy: DeliveryPolicy, connector_id: str = "c1", **fields: Any) -> DeliveryPolicySet:
    return DeliveryPolicySet(policy=policy, **_change(connector_id, **fields))


def imported(connector_id: str = "c1", **fields: Any) -> ConnectorImported:
    details = {key: value for key, value in _connector(connector_id, version=1).items() if key != "secrets"}
    return ConnectorImported(**{**details, "is_missing_secrets": True, "origin_id": None, **fields})


def restored(connector_id: str = "c1", **fields: Any) -> ConnectorRestored:
    more = {"version": 3, "at": minutes(3), "restored_version": 1, "is_missing_secrets": False, **fields}
    return ConnectorRestored(**_connector(connector_id, **more))


def rewrapped(connector_id: str = "c1", **fields: Any) -> SecretsRewrapped:
    return SecretsRewrapped(**_change(connector_id, **fields), key_id="new", secrets=SealedSecrets())


def outcome(execution_id: str = "e1", *, at: datetime = NOON, **fields: Any) -> Outcome:
    defaults = {
        "request_id": f"r-{execution_id}",
        "space_id": "default",
        "connector_id": "c1",
        "action": Action.EXECUTE,
        "started_at": at,
        "position": RequestPosition(topic="action-requests", partition=0, offset=7),
        "final": True,
        "attempt": 1,
        "message": "action executed: .webhook:c1: orders",
        "outcome": "success",
    }
    return Outcome(execution_id=execution_id, at=at, **{**defaults, **fields})


def changes_of(projection: AnyProjection, events: Iterable[object]) -> list[RowChange]:
    """The row changes of events read one after the other from partition 0."""
    read = (_fields_of(event) if projection.takes_fields else event for event in events)
    sourced = (Sourced(event, projection.topic, 0, offset) for offset, event in enumerate(read))
    return [change for each in sourced for change in projection.apply(each)]


def _fields_of(event: object) -> dict[str, Any]:
    assert is_dataclass(event)
    assert not isinstance(event, type)
    return asdict(event)


def config_of(row: Row) -> JsonObject:
    config: JsonObject = json.loads(str(row["config"]))
    return config


def _change(connector_id: str, **fields: Any) -> dict[str, Any]:
    defaults = {"space_id": "default", "version": 2, "at": minutes(2), "by": "ada", "command_id": "command"}
    return {"connector_id": connector_id, **defaults, **fields}


def _connector(connector_id: str, **fields: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "space_id": "default",
        "at": NOON,
        "by": "ada",
        "command_id": "command",
        "name": "orders",
        "connector_type_id": ".webhook",
        "config": {"url": "https://example.org"},
        "secrets": SealedSecrets({"user": b"sealed"}),
    }
    return {"connector_id": connector_id, **defaults, **fields}
