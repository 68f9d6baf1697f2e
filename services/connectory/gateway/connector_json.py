"""Connectors, types and results as JSON: which keys are sent, and when."""

from datetime import datetime
from typing import Final, assert_never

from connectory.connector_types.contract import AnyConnectorType
from connectory.connector_types.registry import TypeRegistry
from connectory.domain.connector import Active
from connectory.domain.errors import Refused
from connectory.domain.execution import Failed, Result, Retry, Succeeded, iso_millis
from connectory.domain.in_memory_connectors import InMemoryConnector
from connectory.domain.json_types import Json, JsonObject
from connectory_projections.connectors_by_space import ConnectorView

SERVICENOW_TYPES: Final = frozenset({".servicenow", ".servicenow-sir"})


def changed_connector(state: Active, types: TypeRegistry) -> JsonObject:
    """The answer to a change."""
    return _connector(
        state.connector_id,
        state.connector_type_id,
        state.name,
        state.config,
        types,
        is_missing_secrets=state.is_missing_secrets,
    )


def connector(view: ConnectorView, types: TypeRegistry) -> dict[str, Json]:
    """The answer to a get."""
    shown = _connector(
        view.connector_id,
        view.connector_type_id,
        view.name,
        view.config,
        types,
        is_missing_secrets=view.is_missing_secrets,
    )
    shown["auth_mode"] = "shared"
    return shown


def listed_connector(view: ConnectorView, types: TypeRegistry, referenced_by: int) -> JsonObject:
    """An item of get all."""
    shown = connector(view, types)
    shown["referenced_by_count"] = referenced_by
    return shown


def in_memory_connector(shown: InMemoryConnector, types: TypeRegistry) -> dict[str, Json]:
    """The answer to a get of a connector in memory: without its config, unless the operator lets it be seen."""
    config: JsonObject = {"config": shown.config} if shown.expose_config else {}
    return {
        "id": shown.connector_id,
        "connector_type_id": shown.connector_type_id,
        "name": shown.name,
        **config,
        "is_preconfigured": not shown.is_system,
        "is_system_action": shown.is_system,
        "is_deprecated": _is_deprecated(shown.connector_type_id, shown.config),
        "is_connector_type_deprecated": _is_type_deprecated(shown.connector_type_id, types),
        "auth_mode": "shared",
    }


def listed_in_memory_connector(shown: InMemoryConnector, types: TypeRegistry) -> JsonObject:
    """An item of get all. References to a connector in memory are not counted."""
    return {**in_memory_connector(shown, types), "referenced_by_count": 0}


def connector_type(declared: AnyConnectorType, types: TypeRegistry) -> JsonObject:
    shown: dict[str, Json] = {
        "id": declared.id,
        "name": declared.name,
        "enabled": types.is_enabled(declared.id),
        "enabled_in_config": types.is_enabled_in_config(declared.id),
        "enabled_in_license": types.is_enabled_in_license(declared.id),
        "minimum_license_required": declared.minimum_license,
        "supported_feature_ids": declared.feature_ids,
        "is_system_action_type": declared.is_system,
        "is_deprecated": declared.is_deprecated,
        "source": declared.source,
    }
    if declared.sub_feature:
        shown["sub_feature"] = declared.sub_feature
    if declared.allow_multiple_system_actions is not None:
        shown["allow_multiple_system_actions"] = declared.allow_multiple_system_actions
    if declared.description:
        shown["description"] = declared.description
    if declared.is_experimental:
        shown["is_experimental"] = True
    return shown


def type_spec(declared: AnyConnectorType) -> JsonObject:
    """The JSON Schema of a connector of the type: of its config and its secrets."""
    parts: dict[str, Json] = {
        "config": declared.config.model_json_schema(by_alias=True),
        "secrets": declared.secrets.model_json_schema(by_alias=True),
    }
    return {"type": "object", "properties": parts, "required": [*parts]}


def run_result(connector_id: str, result: Result) -> JsonObject:
    connector_id = result.connector_id or connector_id
    match result:
        case Succeeded(data=None):
            return {"connector_id": connector_id, "status": "ok"}
        case Succeeded(data=data):
            return {"connector_id": connector_id, "status": "ok", "data": data}
        case Failed():
            return _failure(connector_id, result)
        case _:
            assert_never(result)


def _failure(connector_id: str, failure: Failed) -> JsonObject:
    shown: dict[str, Json] = {"connector_id": connector_id, "status": "error", "message": failure.message}
    if failure.service_message:
        shown["service_message"] = failure.service_message
    if failure.retry is not None:
        shown["retry"] = _retry(failure.retry)
    shown["errorSource"] = failure.error_source.value
    return shown


def _retry(retry: Retry) -> Json:
    return iso_millis(retry) if isinstance(retry, datetime) else retry


def _connector(
    connector_id: str, type_id: str, name: str, config: JsonObject, types: TypeRegistry, *, is_missing_secrets: bool
) -> dict[str, Json]:
    return {
        "id": connector_id,
        "connector_type_id": type_id,
        "name": name,
        "config": config,
        "is_missing_secrets": is_missing_secrets,
        "is_preconfigured": False,
        "is_system_action": False,
        "is_deprecated": _is_deprecated(type_id, config),
        "is_connector_type_deprecated": _is_type_deprecated(type_id, types),
    }


def _is_deprecated(type_id: str, config: JsonObject) -> bool:
    return type_id in SERVICENOW_TYPES and config.get("usesTableApi", True) is True


def _is_type_deprecated(type_id: str, types: TypeRegistry) -> bool:
    try:
        return types.get(type_id).is_deprecated
    except Refused:
        return False
