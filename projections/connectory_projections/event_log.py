"""What happened? Every outcome, newest first, by whatever one may ask for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, TypeAlias

from connectory.domain.execution import Outcome, iso_millis
from connectory.domain.json_types import JsonObject
from connectory_projections.event_log_details import details_text
from connectory_projections.model import Append, Projection, Query, RowChange, Sourced, Table
from connectory_projections.paging import Condition, put_together, read_cursor, write_cursor
from connectory_projections.sql_files import load_migrations, load_statements
from connectory_projections.stored_text import TextColumns, from_stored, from_stored_or_none, to_stored

PAGE_LIMIT: Final = 1_000

TABLE: Final = Table(
    name="event_log",
    columns=(
        "at",
        "execution_id",
        "action",
        "request_id",
        "space_id",
        "connector_id",
        "connector_name",
        "connector_type_id",
        "connector_version",
        "outcome",
        "reason",
        "final",
        "attempt",
        "started_at",
        "duration_ms",
        "message",
        "error",
        "source",
        "requested_by",
        "possible_duplicate",
        "request_body_bytes",
        "trace_id",
        "request_topic",
        "request_partition",
        "request_offset",
        "retry_at",
        "redrive_of",
        "scheduled_at",
        "in_memory",
        "details",
    ),
    key=("at", "execution_id", "action"),
    partitioned_by_day="at",
)

TEXT_COLUMNS: Final = TextColumns(
    *("execution_id", "action", "request_id", "space_id", "connector_id", "connector_name", "connector_type_id"),
    *("outcome", "reason", "message", "error", "source", "requested_by", "trace_id", "request_topic", "redrive_of"),
)

Fields: TypeAlias = Mapping[str, Any]
"""Of an outcome. They have the names of the columns, but for the position, which is three of them, and what becomes
`details`."""

_SQL = load_statements(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLogFilter:
    """All that are set must hold. `from_` is inclusive, `to` exclusive; `q` is found in the message, ignoring case."""

    connector_id: str | None = None
    connector_type_id: str | None = None
    action: str | None = None
    outcome: str | None = None
    final: bool | None = None
    request_id: str | None = None
    execution_id: str | None = None
    from_: datetime | None = None
    to: datetime | None = None
    q: str | None = None


@dataclass(frozen=True, slots=True)
class EventLogEntry:
    """A row of the log: `item` as the HTTP API answers it, `cursor` to go on after it."""

    item: JsonObject
    cursor: str


@dataclass(frozen=True, slots=True)
class EventLogPage:
    """`next_cursor` is None on the last page."""

    items: Sequence[JsonObject]
    next_cursor: str | None


ANYTHING: Final = EventLogFilter()


def page(
    space_id: str, where: EventLogFilter = ANYTHING, *, limit: int = PAGE_LIMIT, cursor: str | None = None
) -> Query[EventLogEntry]:
    """The newest entries after the cursor, and one more than `limit`, which tells whether there is another page.

    Raises `Refused` (`cursor-invalid`) for a cursor that no page has named.
    """
    sql, args = put_together(_SQL, "page", _conditions(space_id, where, cursor), limit + 1)
    return Query(sql, args, _entry)


def page_of(entries: Sequence[EventLogEntry], limit: int) -> EventLogPage:
    """Make the page from what the query of the same `limit` answered."""
    shown = entries[:limit]
    return EventLogPage([entry.item for entry in shown], shown[-1].cursor if len(entries) > limit else None)


def apply(sourced: Sourced[Fields]) -> Sequence[RowChange]:
    row = dict(sourced.event)
    position = row.pop("position")
    row["request_topic"] = position["topic"]
    row["request_partition"] = position["partition"]
    row["request_offset"] = position["offset"]
    context, token_usage = row.pop("context"), row.pop("token_usage")
    row["details"] = details_text(context, token_usage) if context or token_usage else None
    TEXT_COLUMNS.make_storable(row)
    return [Append(TABLE.name, row)]


EVENT_LOG: Final[Projection[Fields]] = Projection(
    name="event_log",
    topic="action-outcomes",
    handles=(Outcome,),
    tables=(TABLE,),
    migrations=load_migrations("event_log"),
    apply=apply,
    takes_fields=True,
)


def _conditions(space_id: str, where: EventLogFilter, cursor: str | None) -> Iterator[Condition]:
    """The names of the conditions in the SQL file with the values to be bound."""
    yield "space_id", (to_stored(space_id),)
    for field in fields(where):
        value = getattr(where, field.name)
        if value is not None:
            yield field.name, (to_stored(value) if isinstance(value, str) else value,)
    if cursor is not None:
        at, execution_id, action = read_cursor(cursor, str, str)
        yield "after", (at, to_stored(str(execution_id)), to_stored(str(action)))


def _entry(row: Mapping[str, Any]) -> EventLogEntry:
    return EventLogEntry(_item(row), write_cursor(row["at"], from_stored(row["execution_id"]), row["action"]))


def _item(row: Mapping[str, Any]) -> JsonObject:
    return {
        "@timestamp": iso_millis(row["at"]),
        "execution_id": from_stored(row["execution_id"]),
        "request_id": from_stored(row["request_id"]),
        "space_id": from_stored(row["space_id"]),
        "connector_id": from_stored(row["connector_id"]),
        "connector_name": from_stored_or_none(row["connector_name"]),
        "connector_type_id": from_stored_or_none(row["connector_type_id"]),
        "connector_version": row["connector_version"],
        "action": row["action"],
        "outcome": row["outcome"],
        "final": row["final"],
        "reason": from_stored_or_none(row["reason"]),
        "attempt": row["attempt"],
        "duration_ms": row["duration_ms"],
        "message": from_stored(row["message"]),
        "error": from_stored_or_none(row["error"]),
        "source": from_stored_or_none(row["source"]),
        "possible_duplicate": row["possible_duplicate"],
        "trace_id": from_stored_or_none(row["trace_id"]),
        "retry_at": _iso_or_none(row["retry_at"]),
        "redrive_of": from_stored_or_none(row["redrive_of"]),
    }


def _iso_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else iso_millis(moment)
