"""What uses a connector? As other services declare it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from connectory.domain.references import ConnectorReference
from connectory_projections.model import Projection, Put, Query, Remove, RowChange, Sourced, Table
from connectory_projections.paging import Condition, put_together, read_cursor, write_cursor
from connectory_projections.sql_files import load_migrations, load_statements
from connectory_projections.stored_text import from_stored, from_stored_or_none, to_stored, to_stored_or_none

TABLE: Final = Table(
    name="connector_references",
    columns=("record_key", "connector_id", "space_id", "type", "id", "at", "by"),
    key=("record_key",),
)

_SQL = load_statements(__file__)


@dataclass(frozen=True, slots=True)
class ReferencePage:
    """`next_cursor` is None on the last page."""

    items: Sequence[ConnectorReference]
    next_cursor: str | None


def newest(
    space_id: str, connector_id: str | None = None, *, limit: int, cursor: str | None = None
) -> Query[ConnectorReference]:
    """The newest references after the cursor, and one more than `limit`, which tells whether there is another page.

    Without a connector those to all of the space. Raises `Refused` (`cursor-invalid`) for a cursor that no page has
    named.
    """
    conditions: list[Condition] = [("space", (to_stored(space_id),))]
    if connector_id is not None:
        conditions.append(("connector", (to_stored(connector_id),)))
    if cursor is not None:
        at, key = read_cursor(cursor, str)
        conditions.append(("before", (at, to_stored(str(key)))))
    return Query(*put_together(_SQL, "newest", conditions, limit + 1), _reference)


def page_of(references: Sequence[ConnectorReference], limit: int) -> ReferencePage:
    """Make the page from what `newest` of the same `limit` answered."""
    shown = references[:limit]
    return ReferencePage(shown, cursor_after(shown[-1]) if len(references) > limit else None)


def cursor_after(reference: ConnectorReference) -> str:
    return write_cursor(reference.at, reference.key)


def counts(space_id: str) -> Query[tuple[str, int]]:
    """Connector id and number of references, of each connector of the space that has any."""
    return Query(_SQL["counts"], (to_stored(space_id),), _count)


def apply(sourced: Sourced[ConnectorReference]) -> Sequence[RowChange]:
    reference = sourced.event
    row = {
        "record_key": to_stored(reference.key),
        "connector_id": to_stored(reference.connector_id),
        "space_id": to_stored(reference.space_id),
        "type": to_stored(reference.type),
        "id": to_stored(reference.id),
        "at": reference.at,
        "by": to_stored_or_none(reference.by),
    }
    return [Put(TABLE.name, row)]


def forget(key: bytes) -> Sequence[RowChange]:
    return [Remove(TABLE.name, (to_stored(key.decode("utf-8", "replace")),))]


CONNECTOR_REFERENCES: Final[Projection[ConnectorReference]] = Projection(
    name="connector_references",
    topic="connector-references",
    handles=(ConnectorReference,),
    tables=(TABLE,),
    migrations=load_migrations("connector_references"),
    apply=apply,
    forget=forget,
)


def _reference(row: Mapping[str, Any]) -> ConnectorReference:
    at: datetime = row["at"]
    return ConnectorReference(
        connector_id=from_stored(row["connector_id"]),
        space_id=from_stored(row["space_id"]),
        type=from_stored(row["type"]),
        id=from_stored(row["id"]),
        at=at,
        by=from_stored_or_none(row["by"]),
    )


def _count(row: Mapping[str, Any]) -> tuple[str, int]:
    return from_stored(row["connector_id"]), int(row["number"])
