"""What few outcomes have: on whose behalf the request was made, and what it used. One column, as JSON."""

import json
import logging
from collections.abc import Mapping
from typing import Any, Final

from connectory.domain.json_types import Json, JsonObject
from connectory_projections.stored_text import to_stored

CONNECTOR_OBJECT: Final = "action"
"""The type of connectors as saved objects. A run is about one, so its other objects are never of this type."""

_OPTIONAL: Final = ("type_id", "namespace")

log = logging.getLogger(__name__)


def details_text(context: Mapping[str, Any] | None, token_usage: Mapping[str, Any] | None) -> str | None:
    """The text of a JSON object, or None where nothing is known. Producers of any language write what is in it."""
    details = dict(_details(context or {}, token_usage))
    return json.dumps(details, separators=(",", ":")) if details else None


def related_objects(text: str) -> list[JsonObject]:
    """Read the objects that a request is about besides the connector. Raises ValueError when they are no such list."""
    try:
        listed = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    match listed:
        case list():
            return [each for item in listed if (each := _related_object(item))["type"] != CONNECTOR_OBJECT]
        case _:
            raise ValueError("no list")


def _details(context: Mapping[str, Any], token_usage: Mapping[str, Any] | None) -> JsonObject:
    related = _related_or_none(context.get("related_objects"))
    rule = next((each for each in related if each["type"] == "alert"), {})
    known: dict[str, Json] = {
        "consumer": context.get("consumer"),
        "execution_id": context.get("execution_id"),
        "rule_type_id": rule.get("type_id"),
        "api_key_id": context.get("api_key_id"),
        "api_key_name": context.get("api_key_name"),
    }
    texts: dict[str, Json] = {name: to_stored(value) for name, value in known.items() if isinstance(value, str)}
    return {
        **texts,
        **({"related": related} if related else {}),
        **({"tokens": dict(token_usage)} if token_usage else {}),
    }


def _related_or_none(text: str | None) -> list[JsonObject]:
    try:
        return related_objects(text) if text else []
    except ValueError as error:
        log.warning("the related objects of a request are passed over: %s", error)
        return []


def _related_object(item: Any) -> JsonObject:
    match item:
        case {"type": str(type_), "id": str(id_), **others} if type_ and id_:
            optional = {name: text for name in _OPTIONAL if isinstance(text := others.get(name), str) and text}
            return {name: to_stored(text) for name, text in {"type": type_, "id": id_, **optional}.items()}
        case _:
            raise ValueError("an entry is no object with a type and an id")
