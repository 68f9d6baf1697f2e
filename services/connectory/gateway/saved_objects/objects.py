"""Saved objects as files have them: what a line must hold to be one, and the connector that it describes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from connectory.domain.errors import ConnectoryError
from connectory.domain.json_types import Json, JsonObject, json_type
from connectory.gateway.changes import Original
from connectory.gateway.errors import Rejected
from connectory.gateway.saved_objects import texts
from connectory.gateway.schemas import LONGEST_NAME, LONGEST_TYPE_ID
from connectory.gateway.validation import text_length, too_long_text

CONNECTOR: Final = "action"
"""The only type that there is."""

LONGEST_ID: Final = 505
"""In bytes of UTF-8. With the type before it, what Kibana's storage takes."""


class ObjectKey(NamedTuple):
    """Names an object: ids are unique in their type only."""

    type: str
    id: str

    def __str__(self) -> str:
        return f"{self.type}:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedObject:
    """`origin_id` is the id that the object had where it was first exported from, if it has another now."""

    key: ObjectKey
    attributes: JsonObject
    references: tuple[ObjectKey, ...] = ()
    origin_id: str | None = None
    managed: bool = False

    @property
    def source_id(self) -> str:
        """The id that copies of the object are known by."""
        return self.origin_id or self.key.id


class NotAConnector(ConnectoryError):
    """Attributes that no connector has; the message says which."""

    code = "not-a-connector"


def read_object(line: Json, number: int) -> SavedObject:
    """Raises `Rejected` (400) for a line that is no saved object."""
    if not isinstance(line, Mapping):
        raise Rejected.bad_request(texts.bad_line(number, "is no JSON object"))
    attributes = line.get("attributes")
    origin_id = line.get("originId")
    return SavedObject(
        key=ObjectKey(_name(line, "type", number), _name(line, "id", number)),
        attributes=attributes if isinstance(attributes, Mapping) else {},
        references=_references(line.get("references", ())),
        origin_id=origin_id if isinstance(origin_id, str) and origin_id else None,
        managed=line.get("managed") is True,
    )


def original_of(saved: SavedObject, origin_id: str | None) -> Original:
    """The connector without its secrets, if it has any. Raises `NotAConnector`."""
    for each in (saved.key.id, origin_id or ""):
        if (length := len(each.encode("utf-8", "replace"))) > LONGEST_ID:
            raise NotAConnector(f"[id]: value has [{length}] bytes but it must have a maximum of [{LONGEST_ID}].")
    return Original(
        name=_text(saved, "name", LONGEST_NAME),
        connector_type_id=_text(saved, "actionTypeId", LONGEST_TYPE_ID),
        config=_config(saved),
        is_missing_secrets=is_missing_secrets(saved),
        origin_id=origin_id,
    )


def title(name: str) -> str:
    """How a connector is called where objects of many types stand side by side."""
    return f"Connector: [{name}]"


def is_missing_secrets(saved: SavedObject) -> bool:
    """Raises `NotAConnector`."""
    value = saved.attributes.get("isMissingSecrets", False)
    if not isinstance(value, bool):
        raise _wrong_type("isMissingSecrets", "boolean", value)
    return value


def _name(line: JsonObject, key: str, number: int) -> str:
    value = line.get(key)
    if not isinstance(value, str) or not value:
        raise Rejected.bad_request(texts.bad_line(number, f"has no [{key}], a string that is not empty"))
    return value


def _references(value: Json) -> tuple[ObjectKey, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise Rejected.bad_request(texts.FETCHING_REFERENCES)
    return tuple(_reference(each) for each in value)


def _reference(value: Json) -> ObjectKey:
    match value:
        case {"type": str() as type_, "id": str() as id_}:
            return ObjectKey(type_, id_)
        case _:
            raise Rejected.bad_request(texts.FETCHING_REFERENCES)


def _text(saved: SavedObject, key: str, longest: int) -> str:
    if key not in saved.attributes:
        raise NotAConnector(f"[attributes.{key}]: expected value of type [string] but got [undefined]")
    value = saved.attributes[key]
    if not isinstance(value, str):
        raise _wrong_type(key, "string", value)
    if text_length(value) > longest:
        raise NotAConnector(f"[attributes.{key}]: {too_long_text(text_length(value), longest)}")
    return value


def _config(saved: SavedObject) -> JsonObject:
    value = saved.attributes.get("config", {})
    if not isinstance(value, Mapping):
        raise _wrong_type("config", "object", value)
    return value


def _wrong_type(key: str, expected: str, value: Json) -> NotAConnector:
    return NotAConnector(f"[attributes.{key}]: expected value of type [{expected}] but got [{json_type(value)}]")
