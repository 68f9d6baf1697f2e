"""Which connectors does a space have, and what do they look like? Never holds secrets."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from operator import itemgetter
from typing import Any, Final, assert_never, get_args

from connectory.domain.delivery import AS_SETTINGS_SAY, DeliveryPolicy
from connectory.domain.events import (
    ConnectorCreated,
    ConnectorDeleted,
    ConnectorDisabled,
    ConnectorEnabled,
    ConnectorEvent,
    ConnectorImported,
    ConnectorRestored,
    ConnectorUpdated,
    DeliveryPolicySet,
    SecretsRewrapped,
)
from connectory.domain.json_types import JsonObject
from connectory_projections.collation import name_sort_key
from connectory_projections.model import Projection, Put, Query, Remove, Row, RowChange, Sourced, Table
from connectory_projections.sql_files import load_migrations, load_statements
from connectory_projections.stored_text import from_stored, from_stored_or_none, to_stored, to_stored_or_none

LIST_LIMIT: Final = 10_000
"""The most connectors that a list answers; further ones are left out."""

KEY_COLUMNS: Final = ("connector_id", "space_id")
CHANGE_COLUMNS: Final = ("version", "updated_at", "updated_by")
DETAIL_COLUMNS: Final = ("name", "name_sort_key", "connector_type_id", "config", "is_missing_secrets")
POLICY_COLUMNS: Final = tuple(field.name for field in fields(DeliveryPolicy))

TABLE: Final = Table(
    name="connectors_by_space",
    columns=(
        *KEY_COLUMNS,
        *DETAIL_COLUMNS,
        *CHANGE_COLUMNS,
        *("created_at", "created_by", "enabled", "origin_id"),
        *POLICY_COLUMNS,
    ),
    key=("connector_id",),
)

_SQL = load_statements(__file__)
_UNSET_POLICY: Final[Row] = asdict(AS_SETTINGS_SAY)
_POLICY_OF: Final = itemgetter(*POLICY_COLUMNS)
_NO_POLICY: Final = _POLICY_OF(_UNSET_POLICY)
_COMPACT: Final = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(slots=True, kw_only=True)
class ConnectorView:
    """A connector as readers see it. `name_sort_key` places it among others: equal names by creation.

    `origin_id` is the id that an imported connector had where it came from, when it could not keep it. Not frozen only
    because one is made for each that is read, and freezing costs several times what making it does.
    """

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
    enabled: bool
    delivery_policy: DeliveryPolicy
    origin_id: str | None = None


def get(space_id: str, connector_id: str) -> Query[ConnectorView]:
    """The connector with this id, if it is in this space."""
    return Query(_SQL["get"], (to_stored(space_id), to_stored(connector_id)), read_view)


def in_space(space_id: str, limit: int = LIST_LIMIT) -> Query[ConnectorView]:
    """The space's connectors, by name as `collation` orders names, then by creation."""
    return Query(_SQL["list"], (to_stored(space_id), limit), read_view)


def by_id(space_id: str, after: str, limit: int) -> Query[ConnectorView]:
    """The space's connectors by id, from the one after `after` on; the empty id is before all."""
    return Query(_SQL["by_id"], (to_stored(space_id), to_stored(after), limit), read_view)


def with_ids(connector_ids: Iterable[str]) -> Query[ConnectorView]:
    """The connectors with these ids, whatever their spaces, as far as there are any, in no order."""
    return Query(_SQL["with_ids"], ([*map(to_stored, connector_ids)],), read_view)


def with_origins(space_id: str, origin_ids: Iterable[str]) -> Query[ConnectorView]:
    """The space's connectors that were imported from these ids and have others here, oldest first."""
    return Query(_SQL["with_origins"], (to_stored(space_id), [*map(to_stored, origin_ids)]), read_view)


def apply(sourced: Sourced[ConnectorEvent]) -> Sequence[RowChange]:
    event = sourced.event
    match event:
        case ConnectorCreated():
            return [Put(TABLE.name, _row(event, _details(event)))]
        case ConnectorUpdated():
            return [_change(event, _details(event))]
        case ConnectorImported():
            imported = {"is_missing_secrets": event.is_missing_secrets, "origin_id": to_stored_or_none(event.origin_id)}
            return [_change(event, {**_details(event), **imported})]
        case ConnectorRestored():
            return [_change(event, {**_details(event), "is_missing_secrets": event.is_missing_secrets})]
        case ConnectorEnabled() | ConnectorDisabled():
            return [_change(event, {"enabled": isinstance(event, ConnectorEnabled)})]
        case DeliveryPolicySet():
            return [_change(event, asdict(event.policy))]
        case SecretsRewrapped():
            return [_change(event, {})]
        case ConnectorDeleted():
            return [Remove(TABLE.name, (to_stored(event.connector_id),))]
        case _:
            assert_never(event)


CONNECTORS_BY_SPACE: Final[Projection[ConnectorEvent]] = Projection(
    name="connectors_by_space",
    topic="connector-events",
    handles=get_args(ConnectorEvent),
    tables=(TABLE,),
    migrations=load_migrations("connectors_by_space"),
    apply=apply,
)


def _change(event: ConnectorEvent, values: Row) -> Put:
    """These values and who set them; the rest stays as it is."""
    set_by_it = (*KEY_COLUMNS, *CHANGE_COLUMNS, *values)
    return Put(TABLE.name, _row(event, values), keep=tuple(each for each in TABLE.columns if each not in set_by_it))


def _row(event: ConnectorEvent, values: Row) -> Row:
    """The row of a connector of which this event is all that is known."""
    by = to_stored_or_none(event.by)
    return {
        "connector_id": to_stored(event.connector_id),
        "space_id": to_stored(event.space_id),
        **dict.fromkeys(DETAIL_COLUMNS),
        "is_missing_secrets": False,
        "created_at": event.at,
        "created_by": by,
        "version": event.version,
        "updated_at": event.at,
        "updated_by": by,
        "enabled": True,
        "origin_id": None,
        **_UNSET_POLICY,
        **values,
    }


def _details(event: ConnectorCreated | ConnectorUpdated | ConnectorImported | ConnectorRestored) -> Row:
    return {
        "name": to_stored(event.name),
        "name_sort_key": name_sort_key(event.name),
        "connector_type_id": to_stored(event.connector_type_id),
        "config": _COMPACT(event.config),
        "is_missing_secrets": False,
    }


def read_view(row: Mapping[str, Any]) -> ConnectorView:
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
        enabled=row["enabled"],
        delivery_policy=_policy(row),
        origin_id=from_stored_or_none(row["origin_id"]),
    )


def _policy(row: Mapping[str, Any]) -> DeliveryPolicy:
    values = _POLICY_OF(row)
    if values == _NO_POLICY:  # nearly all, and far cheaper than to make one
        return AS_SETTINGS_SAY
    return DeliveryPolicy(**dict(zip(POLICY_COLUMNS, values, strict=True)))
