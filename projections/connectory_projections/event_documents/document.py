"""A row of the event log as the document that Kibana would have written about it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from connectory.domain.execution import iso_millis
from connectory.domain.json_types import Json, JsonObject
from connectory.domain.spaces import DEFAULT_SPACE
from connectory_projections.event_documents.fields import (
    CONNECTOR,
    ECS_VERSION,
    KIBANA_VERSION,
    KIND,
    PRIMARY,
    PROVIDER,
)
from connectory_projections.stored_text import from_stored, from_stored_or_none

_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Product:
    """What documents say about the server that shows them."""

    server_uuid: str
    version: str = KIBANA_VERSION


def document(row: Mapping[str, Any], product: Product) -> JsonObject:
    """Keys without a value are left out. The row must be one that is shown."""
    details = json.loads(row["details"]) if row["details"] else {}
    is_end = row["action"] == "execute"
    failed = is_end and row["outcome"] != "success"
    return _without_nothing(
        {
            "@timestamp": iso_millis(row["at"]),
            "ecs": {"version": ECS_VERSION},
            "event": _event(row),
            "message": from_stored(row["message"]),
            "error": {"message": from_stored_or_none(row["error"])} if failed else None,
            "user": {"name": from_stored_or_none(row["requested_by"])} if is_end else None,
            "kibana": _kibana(row, details, product),
        }
    )


def document_id(row: Mapping[str, Any]) -> str:
    return f"{from_stored(row['execution_id'])}/{row['action']}"


def nanoseconds(since: datetime, until: datetime) -> int:
    return max((until - since) // _MICROSECOND, 0) * 1000


def _start(row: Mapping[str, Any]) -> datetime:
    start: datetime | None = row["started_at"]
    return row["at"] if start is None else start


def _event(row: Mapping[str, Any]) -> Json:
    action = row["action"]
    is_end = action == "execute"
    return {
        "provider": PROVIDER,
        "action": action,
        "kind": KIND,
        "start": None if action == "execute-timeout" else iso_millis(_start(row)),
        "end": iso_millis(row["at"]) if is_end else None,
        "duration": str(nanoseconds(_start(row), row["at"])) if is_end else None,
        "outcome": row["outcome"] if is_end else None,
    }


def _kibana(row: Mapping[str, Any], details: Mapping[str, Any], product: Product) -> Json:
    is_end = row["action"] == "execute"
    return {
        "user_api_key": {
            "id": _detail(details, "api_key_id") if is_end else None,
            "name": _detail(details, "api_key_name") if is_end else None,
        },
        "server_uuid": product.server_uuid,
        "version": product.version,
        "space_ids": [from_stored(row["space_id"])],
        "saved_objects": [_connector(row), *map(_related, details.get("related", ()))],
        "action": _action(row, details),
        "task": _task(row),
        "alert": {
            "rule": {
                "consumer": _detail(details, "consumer"),
                "execution": {"uuid": _detail(details, "execution_id")},
                "rule_type_id": _detail(details, "rule_type_id"),
            }
        },
    }


def _connector(row: Mapping[str, Any]) -> Json:
    return {
        "rel": PRIMARY,
        "type": CONNECTOR,
        "id": from_stored(row["connector_id"]),
        "type_id": from_stored_or_none(row["connector_type_id"]),
        "namespace": None if row["space_id"] == DEFAULT_SPACE else from_stored(row["space_id"]),
        "space_agnostic": True if row["in_memory"] else None,
    }


def _related(entry: Mapping[str, str]) -> Json:
    return {"rel": PRIMARY, **{name: from_stored(text) for name, text in entry.items()}}


def _action(row: Mapping[str, Any], details: Mapping[str, Any]) -> Json:
    is_end = row["action"] == "execute"
    return {
        "id": from_stored(row["connector_id"]),
        "name": None if row["action"] == "execute-timeout" else from_stored_or_none(row["connector_name"]),
        "type_id": from_stored_or_none(row["connector_type_id"]),
        "execution": {
            "uuid": from_stored(row["execution_id"]),
            "source": from_stored_or_none(row["source"]),
            "usage": {"request_body_bytes": row["request_body_bytes"] or 0} if is_end else None,
            "gen_ai": {"usage": details["tokens"]} if is_end and "tokens" in details else None,
        },
    }


def _task(row: Mapping[str, Any]) -> Json:
    due = row["scheduled_at"]
    if due is None or row["action"] == "execute-timeout":
        return None
    return {"scheduled": iso_millis(due), "schedule_delay": nanoseconds(due, _start(row))}


def _detail(details: Mapping[str, Any], name: str) -> Json:
    text = details.get(name)
    return from_stored(text) if isinstance(text, str) else None


def _without_nothing(value: Mapping[str, Json]) -> JsonObject:
    """Without what is None, and without objects in which nothing is left."""
    cleaned = {name: _cleaned(item) for name, item in value.items()}
    return {name: item for name, item in cleaned.items() if item is not None and item != {}}


def _cleaned(value: Json) -> Json:
    match value:
        case Mapping():
            return _without_nothing(value)
        case list():
            return [_cleaned(item) for item in value]
        case _:
            return value
