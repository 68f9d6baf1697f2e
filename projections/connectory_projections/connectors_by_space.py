"""Which connectors does a space have, and what do they look like? Never holds secrets."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, assert_never

from connectory.domain.events import ConnectorCreated, ConnectorDeleted, ConnectorEvent, ConnectorUpdated
from connectory.domain.json_types import JsonObject
from connectory_projections.collation import name_sort_key
from connectory_projections.model import Projection, Put, Query, Remove, Row, RowChange, Sourced, Table
from connectory_projections.sql_files import load_migrations, load_statements
from connectory_projections.stored_text import from_stored, from_stored_or_none, to_stored, to_stored_or_none

LIST_LIMIT: Final = 10_000
"""The most connectors that a list answers; further ones are left out."""

TABLE: Final = Table(
    name="connectors_by_space",
    columns=(
        "connector_id",
        "space_id",
        "name",
        "name_sort_key",
        "connector_type_id",
        "config",
        "version",
        "is_missing_secrets",
        "created_at",
        "created_by",
        "updated_at",
        "updated_by",
    ),
    key=("connector_id",),
)

_SQL = load_statements(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorView:
    """A connector as readers see it. `name_sort_key` places it among others: equal names by creation."""

    connector_id: str
    space_id: str
    name: str
    name_sort_key: bytes
    connector_type_id: str
    config: JsonObject
    version: int
    is_missing_secrets: bool
    created_at: datetime
    created_by: str | None
    updated_at: datetime
    updated_by: str | None


def get(space_id: str, connector_id: str) -> Query[ConnectorView]:
    """The connector with this id, if it is in this space."""
    return Query(_SQL["get"], (to_stored(space_id), to_stored(connector_id)), _view)


def in_space(space_id: str, limit: int = LIST_LIMIT) -> Query[ConnectorView]:
    """The space's connectors, by name as `collation` orders names, then by creation."""
    return Query(_SQL["list"], (to_stored(space_id), limit), _view)


def apply(sourced: Sourced[ConnectorEvent]) -> Sequence[RowChange]:
    event = sourced.event
    match event:
        case ConnectorCreated():
            return [Put(TABLE.name, _row(event))]
        case ConnectorUpdated():
            return [Put(TABLE.name, _row(event), keep=("created_at", "created_by"))]
        case ConnectorDeleted():
            return [Remove(TABLE.name, (to_stored(event.connector_id),))]
        case _:
            assert_never(event)


CONNECTORS_BY_SPACE: Final[Projection[ConnectorEvent]] = Projection(
    name="connectors_by_space",
    topic="connector-events",
    handles=(ConnectorCreated, ConnectorUpdated, ConnectorDeleted),
    tables=(TABLE,),
    migrations=load_migrations("connectors_by_space"),
    apply=apply,
)


def _row(event: ConnectorCreated | ConnectorUpdated) -> Row:
    by = to_stored_or_none(event.by)
    return {
        "connector_id": to_stored(event.connector_id),
        "space_id": to_stored(event.space_id),
        "name": to_stored(event.name),
        "name_sort_key": name_sort_key(event.name),
        "connector_type_id": to_stored(event.connector_type_id),
        "config": json.dumps(event.config, separators=(",", ":")),
        "version": event.version,
        "is_missing_secrets": False,
        "created_at": event.at,
        "created_by": by,
        "updated_at": event.at,
        "updated_by": by,
    }


def _view(row: Mapping[str, Any]) -> ConnectorView:
    return ConnectorView(
        connector_id=from_stored(row["connector_id"]),
        space_id=from_stored(row["space_id"]),
        name=from_stored(row["name"]),
        name_sort_key=row["name_sort_key"],
        connector_type_id=from_stored(row["connector_type_id"]),
        config=json.loads(row["config"]),
        version=row["version"],
        is_missing_secrets=row["is_missing_secrets"],
        created_at=row["created_at"],
        created_by=from_stored_or_none(row["created_by"]),
        updated_at=row["updated_at"],
        updated_by=from_stored_or_none(row["updated_by"]),
    )
