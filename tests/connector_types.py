"""What tests of single connector types share."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from connectory.connector_types.contract import TypeSettings
from connectory.connector_types.registry import TypeRegistry
from connectory.infra.egress import AllowedHosts

NOW = datetime(2026, 11, 24, 12, 0, 0, 250_000, tzinfo=UTC)
IN_A_MINUTE = "2026-11-24T12:01:00.250Z"


def registry(hosts: Sequence[str] = ("*",)) -> TypeRegistry:
    return TypeRegistry(settings=TypeSettings(hosts=AllowedHosts(hosts)))


def rendered(type_id: str, params: dict[str, Any], variables: dict[str, Any]) -> Any:
    return registry().render_params(type_id, params, variables)
