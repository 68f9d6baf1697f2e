"""What was changed about each connector, when and by whom, and how did connectors look then? Never holds secrets."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, assert_never, get_args

from connectory.domain.connector import Detailed
from connectory.domain.delivery import AS_SETTINGS_SAY
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
from connectory.domain.execution import iso_millis
from connectory.domain.json_types import Json, JsonObject
from connectory_projections.collation import name_sort_key
from connectory_projections.connectors_by_space import LIST_LIMIT, ConnectorView, read_view
from connectory_projections.differences import differences
from connectory_projections.model import Append, Projection, Query, Row, RowChange, Sourced, Table
from connectory_projections.paging import Condition, put_together, read_cursor, write_cursor
from connectory_projections.sql_files import load_migrations, load_statements
from connectory_projections.stored_text import from_stored, from_stored_or_none, to_stored, to_stored_or_none

TABLE: Final = Table(
    name="connector_history",
    columns=(
        *("connector_id", "log_offset", "space_id", "version", "at", "by", "command_id", "change"),
        *("name", "name_sort_key", "connector_type_id", "config", "is_missing_secrets", "origin_id"),
        *("restored_version", "enabled", "delivery_policy"),
    ),
    key=("connector_id", "log_offset"),
)

CHANGES: Final[Mapping[type, str]] = {
    ConnectorCreated: "created",
    ConnectorUpdated: "updated",
    ConnectorDeleted: "deleted",
    ConnectorEnabled: "enabled",
    ConnectorDisabled: "disabled",
    DeliveryPolicySet: "delivery_policy_set",
    ConnectorImported: "imported",
    ConnectorRestored: "restored",
    SecretsRewrapped: "key_rotated",
}
"""The words for the kinds of changes."""

_SQL = load_statements(__file__)
_NOTHING: Final[Row] = dict.fromkeys(TABLE.columns)
_COMPACT: Final = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class ListedChange:
    """A change: `item` as the HTTP API answers it, `cursor` to go on after it."""

    item: JsonObject
    cursor: str


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """`next_cursor` is None on the last page."""

    items: Sequence[JsonObject]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierDetails:
    """What a client said of a connector in some version of it."""

    name: str
    connector_type_id: str
    config: JsonObject


def newest(space_id: str, connector_id: str, *, limit: int, cursor: str | None = None) -> Query[ListedChange]:
    """The newest changes after the cursor, and one more than `limit`, which tells whether there is another page.

    Raises `Refused` (`cursor-invalid`) for a cursor that no page has named.
    """
    conditions: list[Condition] = [("space", (to_stored(space_id),)), ("connector", (to_stored(connector_id),))]
    if cursor is not None:
        conditions.append(("before", (read_cursor(cursor, int)[1],)))
    return Query(*put_together(_SQL, "newest", conditions, limit + 1), _listed)


def page_of(changes: Sequence[ListedChange], limit: int) -> HistoryPage:
    """Make the page from what `newest` of the same `limit` answered."""
    shown = changes[:limit]
    return HistoryPage([each.item for each in shown], shown[-1].cursor if len(changes) > limit else None)


def as_of(space_id: str, connector_id: str, at: datetime) -> Query[ConnectorView]:
    """The connector as it was at that moment, if it was there."""
    conditions: list[Condition] = [("space", (to_stored(space_id),)), ("connector", (to_stored(connector_id),))]
    return Query(*put_together(_SQL, "as_they_were", [*conditions, ("until", (at,))], 1), _view)


def all_as_of(space_id: str, at: datetime, limit: int = LIST_LIMIT) -> Query[ConnectorView]:
    """The space's connectors as they were at that moment, in the order of lists."""
    conditions: list[Condition] = [("space", (to_stored(space_id),)), ("until", (at,))]
    return Query(*put_together(_SQL, "as_they_were", conditions, limit), _view)


def at_version(space_id: str, connector_id: str, version: int) -> Query[EarlierDetails]:
    """What the connector was in that version, of those with this number in the newest one that was no deletion."""
    return Query(_SQL["at_version"], (to_stored(space_id), to_stored(connector_id), version), _details)


def apply(sourced: Sourced[ConnectorEvent]) -> Sequence[RowChange]:
    event = sourced.event
    row = {
        **_NOTHING,
        "connector_id": to_stored(event.connector_id),
        "log_offset": sourced.offset,
        "space_id": to_stored(event.space_id),
        "version": event.version,
        "at": event.at,
        "by": to_stored_or_none(event.by),
        "command_id": to_stored(event.command_id),
        "change": CHANGES[type(event)],
        **_said(event),
    }
    return [Append(TABLE.name, row)]


CONNECTOR_HISTORY: Final[Projection[ConnectorEvent]] = Projection(
    name="connector_history",
    topic="connector-events",
    handles=get_args(ConnectorEvent),
    tables=(TABLE,),
    migrations=load_migrations("connector_history"),
    apply=apply,
)


def _said(event: ConnectorEvent) -> Row:
    match event:
        case ConnectorCreated() | ConnectorUpdated():
            return {**_said_of_details(event), "is_missing_secrets": False}
        case ConnectorImported():
            origin = {"origin_id": to_stored_or_none(event.origin_id)}
            return {**_said_of_details(event), **origin, "is_missing_secrets": event.is_missing_secrets}
        case ConnectorRestored():
            version = {"restored_version": event.restored_version}
            return {**_said_of_details(event), **version, "is_missing_secrets": event.is_missing_secrets}
        case ConnectorEnabled() | ConnectorDisabled():
            return {"enabled": isinstance(event, ConnectorEnabled)}
        case DeliveryPolicySet():
            return {"delivery_policy": _COMPACT(asdict(event.policy))}
        case ConnectorDeleted() | SecretsRewrapped():
            return {}
        case _:
            assert_never(event)


def _said_of_details(event: Detailed) -> Row:
    return {
        "name": to_stored(event.name),
        "name_sort_key": name_sort_key(event.name),
        "connector_type_id": to_stored(event.connector_type_id),
        "config": _COMPACT(event.config),
    }


def _listed(row: Mapping[str, Any]) -> ListedChange:
    return ListedChange(dict(_item(row)), write_cursor(row["at"], row["log_offset"]))


def _item(row: Mapping[str, Any]) -> Iterator[tuple[str, Json]]:
    yield "version", row["version"]
    yield "@timestamp", iso_millis(row["at"])
    yield "change", row["change"]
    yield "by", from_stored_or_none(row["by"])
    yield "command_id", from_stored(row["command_id"])
    if row["restored_version"] is not None:
        yield "restored_version", row["restored_version"]
    said = _shown(row, "")
    yield from said.items()
    yield "diff", list(differences(_before(row, said), said)) if row["version"] > 1 else []


def _shown(row: Mapping[str, Any], suffix: str) -> dict[str, Json]:
    """What a change says, under the names of the connector's fields."""
    shown: dict[str, Json] = {}
    if row[f"name{suffix}"] is not None:
        shown["name"] = from_stored(row[f"name{suffix}"])
        shown["connector_type_id"] = from_stored(row[f"connector_type_id{suffix}"])
        shown["config"] = json.loads(row[f"config{suffix}"])
        shown["is_missing_secrets"] = row[f"is_missing_secrets{suffix}"]
    if row[f"delivery_policy{suffix}"] is not None:
        shown["delivery_policy"] = json.loads(row[f"delivery_policy{suffix}"])
    if not suffix and row["enabled"] is not None:
        shown["enabled"] = row["enabled"]
    return shown


def _before(row: Mapping[str, Any], said: JsonObject) -> JsonObject:
    """The same fields before the change; a switch is only recorded when it turns. Unknown: as if it was the same."""
    earlier = _shown(row, "_before")
    if "enabled" in said:
        earlier["enabled"] = not said["enabled"]
    if "delivery_policy" in said:
        earlier.setdefault("delivery_policy", asdict(AS_SETTINGS_SAY))
    return earlier or said


def _view(row: Mapping[str, Any]) -> ConnectorView:
    policy = asdict(AS_SETTINGS_SAY) if row["delivery_policy"] is None else json.loads(row["delivery_policy"])
    enabled = row["enabled"] is not False
    return read_view({**row, **policy, "enabled": enabled})


def _details(row: Mapping[str, Any]) -> EarlierDetails:
    return EarlierDetails(
        name=from_stored(row["name"]),
        connector_type_id=from_stored(row["connector_type_id"]),
        config=json.loads(row["config"]),
    )
