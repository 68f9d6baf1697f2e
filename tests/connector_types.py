"""What tests of single connector types share."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectory.connector_types.contract import TypeSettings
from connectory.connector_types.registry import TypeRegistry
from connectory.infra.egress import AllowedHosts

NOW = datetime(2026, 11, 24, 12, 0, 0, 250_000, tzinfo=UTC)
IN_A_MINUTE = "2026-11-24T12:01:00.250Z"


def registry(hosts: Sequence[str] = ("*",)) -> TypeRegistry:
    return TypeRegistry(settings=TypeSettings(hosts=AllowedHosts(hosts)))


def rendered(type_id: str, params: Mapping[str, Any], variables: Mapping[str, Any], connector_id: str = "c-1") -> Any:
    """The params of a run at `NOW`."""
    return registry().render_params(type_id, params, variables, connector_id=connector_id, now=NOW)
