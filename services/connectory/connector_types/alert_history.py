"""The history of alerts: one document for each, made of what a rule tells its actions."""

from datetime import datetime
from typing import Final

from connectory.domain.execution import iso_millis
from connectory.domain.json_types import Json, JsonObject

CONNECTOR_ID: Final = "preconfigured-alert-history-es-index"
"""The connector that writes it: its documents are these, whatever its params say."""

INDEX: Final = "kibana-alert-history-default"


def alert_history_document(variables: JsonObject, now: datetime) -> JsonObject | None:
    """The document of the alert that the variables tell of; None when they name no alert or no type of rule."""
    alert, rule = _object(variables, "alert"), _object(variables, "rule")
    rule_type = rule.get("type")
    if not alert or not isinstance(rule_type, str) or not rule_type:
        return None
    context = _object(variables, "context")
    key = rule_type.replace(".", "__")
    document: dict[str, Json] = {
        "@timestamp": variables.get("date") or iso_millis(now),
        "tags": variables.get("tags"),
        "message": context.get("message"),
        "rule": _present(
            {
                "id": rule.get("id"),
                "name": rule.get("name"),
                "params": _by_type(key, _object(variables, "params")),
                "space": rule.get("spaceId"),
                "type": rule_type,
            }
        ),
        "kibana": _alert(key, alert, context),
    }
    return {**_present(document), "event": {"kind": "alert"}}


def _alert(key: str, alert: JsonObject, context: JsonObject) -> Json:
    told = _present(
        {
            "id": alert.get("id"),
            "context": _by_type(key, context),
            "actionGroup": alert.get("actionGroup"),
            "actionGroupName": alert.get("actionGroupName"),
        }
    )
    return {"alert": told} if told else None


def _by_type(key: str, value: JsonObject) -> Json:
    """Below a name of the rule's type, as fields of two types may have one name and be of different kinds."""
    return {key: value} if value else None


def _present(fields: JsonObject) -> JsonObject:
    return {name: value for name, value in fields.items() if value}


def _object(variables: JsonObject, name: str) -> JsonObject:
    value = variables.get(name)
    return value if isinstance(value, dict) else {}
