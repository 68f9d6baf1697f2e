"""What leaves: a connector as a line of an export, never with its secrets, and the line of counts at the end."""

import base64
import json
from typing import Final, Protocol

from connectory.domain.execution import iso_millis
from connectory.domain.json_types import JsonObject
from connectory.gateway.saved_objects.objects import CONNECTOR
from connectory_projections.connectors_by_space import ConnectorView

CORE_MIGRATION_VERSION: Final = "8.8.0"
TYPE_MIGRATION_VERSION: Final = "8.3.0"
"""The versions of Kibana's formats that the line has."""


class TypesWithoutSecrets(Protocol):
    def works_without_secrets(self, type_id: str) -> bool: ...


class Described(Protocol):
    """A connector as far as its type and config tell."""

    @property
    def connector_type_id(self) -> str: ...
    @property
    def config(self) -> JsonObject: ...


def exported(view: ConnectorView, types: TypesWithoutSecrets) -> JsonObject:
    """The line of a connector."""
    return {
        "attributes": {
            "actionTypeId": view.connector_type_id,
            "config": view.config,
            "isMissingSecrets": will_miss_secrets(view, types),
            "name": view.name,
            "secrets": {},
        },
        "coreMigrationVersion": CORE_MIGRATION_VERSION,
        "created_at": iso_millis(view.created_at),
        "id": view.connector_id,
        "managed": False,
        **({"originId": view.origin_id} if view.origin_id else {}),
        "references": [],
        "type": CONNECTOR,
        "typeMigrationVersion": TYPE_MIGRATION_VERSION,
        "updated_at": iso_millis(view.updated_at),
        "version": _opaque(view.version),
    }


def will_miss_secrets(connector: Described, types: TypesWithoutSecrets) -> bool:
    """Whether the connector needs secrets where it arrives without any; one that does not log in needs none."""
    return not types.works_without_secrets(connector.connector_type_id) or connector.config.get("hasAuth") is True


def details(count: int) -> JsonObject:
    """The last line. Connectors refer to nothing, and none is ever left out."""
    return {
        "excludedObjects": [],
        "excludedObjectsCount": 0,
        "exportedCount": count,
        "missingRefCount": 0,
        "missingReferences": [],
    }


def matches(name: str, search: str) -> bool:
    """Whether each word of the search stands in the name, whatever the case; `*` stands for anything."""
    folded = name.casefold()
    return all(_stands_in(folded, word) for word in search.casefold().split())


def _stands_in(name: str, word: str) -> bool:
    """By hand: a pattern made of a caller's stars could take a regular expression for ever."""
    place = 0
    for piece in word.split("*"):
        found = name.find(piece, place)
        if found < 0:
            return False
        place = found + len(piece)
    return True


def _opaque(version: int) -> str:
    return base64.b64encode(json.dumps([version, 1]).encode()).decode()
