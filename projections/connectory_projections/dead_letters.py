"""Which requests were given up, and what was done about each? The records are kept whole, to be repeated."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias, assert_never

from connectory.domain.dead_letters import DeadLetter, DeadLetterSettled
from connectory.domain.execution import iso_millis
from connectory.domain.json_types import JsonObject
from connectory_projections.model import Projection, Put, Query, Row, RowChange, Sourced, Table
from connectory_projections.paging import Condition, cursor_invalid, put_together, read_cursor, write_cursor
from connectory_projections.sql_files import load_migrations, load_statements
from connectory_projections.stored_text import from_stored, from_stored_or_none, to_stored, to_stored_or_none

Status: TypeAlias = Literal["open", "redriven", "dropped"]
Place: TypeAlias = tuple[str, int, int]
"""Topic, partition and offset of the record that was given up."""

MOST_COUNTED: Final = 10_000_000

PLACE_COLUMNS: Final = ("record_topic", "record_partition", "record_offset")
LETTER_COLUMNS: Final = (
    *("reason", "message", "at", "key", "value", "headers"),
    *("request_id", "space_id", "connector_id"),
)
SETTLEMENT_COLUMNS: Final = ("status", "settled_at", "settled_by", "redriven_as")

TABLE: Final = Table(
    name="dead_letters",
    columns=(*PLACE_COLUMNS, *LETTER_COLUMNS, *SETTLEMENT_COLUMNS),
    key=PLACE_COLUMNS,
    expires_by="at",
)

_SQL = load_statements(__file__)


@dataclass(frozen=True, slots=True)
class Scope:
    """Of which space; None: of all. `with_spaceless` adds those whose space nobody could read."""

    space_id: str | None = None
    with_spaceless: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterFilter:
    """All that are set must hold. `from_` is inclusive, `to` exclusive."""

    connector_id: str | None = None
    reason: str | None = None
    status: Status | None = "open"
    from_: datetime | None = None
    to: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListedLetter:
    """A row without the record itself: `item` as the HTTP API answers it, `cursor` to go on after it."""

    item: JsonObject
    cursor: str


@dataclass(frozen=True, slots=True)
class DeadLetterPage:
    """`next_cursor` is None on the last page."""

    items: Sequence[JsonObject]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class KeptLetter:
    """A letter with its record, and what was done about it."""

    letter: DeadLetter
    status: Status
    redriven_as: str | None
    item: JsonObject

    @property
    def id(self) -> str:
        return letter_id(_place_of(self.letter))


def letter_id(place: Place) -> str:
    """The public id of a letter: `action-requests.3.42`."""
    return ".".join(map(str, place))


def place_of_id(text: str) -> Place | None:
    """None for what is no id of a letter."""
    topic, *numbers = text.rsplit(".", 2)
    if len(numbers) != 2 or not all(each.isascii() and each.isdecimal() and len(each) < 19 for each in numbers):
        return None
    partition, offset = map(int, numbers)
    return (to_stored(topic), partition, offset) if partition < 2**31 else None


def newest(scope: Scope, where: DeadLetterFilter, *, limit: int, cursor: str | None = None) -> Query[ListedLetter]:
    """The newest letters after the cursor, and one more than `limit`, which tells whether there is another page.

    Raises `Refused` (`cursor-invalid`) for a cursor that no page has named.
    """
    conditions = [*_conditions(scope, where)]
    if cursor is not None:
        conditions.append(("before", _place_in_time(cursor)))
    return Query(*put_together(_SQL, "newest", conditions, limit + 1), _listed)


def page_of(letters: Sequence[ListedLetter], limit: int) -> DeadLetterPage:
    """Make the page from what `newest` of the same `limit` answered."""
    shown = letters[:limit]
    return DeadLetterPage([each.item for each in shown], shown[-1].cursor if len(letters) > limit else None)


def oldest_open(
    scope: Scope, where: DeadLetterFilter, *, repeatable: bool, after: KeptLetter | None, limit: int
) -> Query[KeptLetter]:
    """Open letters with their records, oldest first, whatever status the filter names.

    With `repeatable` those that hold no readable request are left out.
    """
    conditions = _open(scope, where, repeatable=repeatable)
    if after is not None:
        conditions.append(("after", (after.letter.at, *_place_of(after.letter))))
    return Query(*put_together(_SQL, "oldest", conditions, limit), _kept)


def count_open(scope: Scope, where: DeadLetterFilter, *, repeatable: bool) -> Query[int]:
    """How many letters `oldest_open` goes through; no more than `MOST_COUNTED`."""
    conditions = _open(scope, where, repeatable=repeatable)
    return Query(*put_together(_SQL, "count", conditions, MOST_COUNTED), lambda row: int(row["letters"]))


def at_places(scope: Scope, places: Sequence[Place]) -> Query[KeptLetter]:
    """The letters of these places that there are, oldest first, whatever was done about them."""
    conditions = [*_conditions(scope, DeadLetterFilter(status=None))]
    topics, partitions, offsets = zip(*places, strict=True) if places else ((), (), ())
    conditions.append(("at_places", (list(topics), list(partitions), list(offsets))))
    return Query(*put_together(_SQL, "oldest", conditions, len(places)), _kept)


def apply(sourced: Sourced[DeadLetter | DeadLetterSettled]) -> Sequence[RowChange]:
    """A letter may come twice, and stays as settled as it is."""
    event = sourced.event
    match event:
        case DeadLetter():
            return [Put(TABLE.name, _letter_row(event), keep=SETTLEMENT_COLUMNS)]
        case DeadLetterSettled():
            return [Put(TABLE.name, _settlement_row(event), keep=LETTER_COLUMNS)]
        case _:
            assert_never(event)


DEAD_LETTERS: Final[Projection[DeadLetter | DeadLetterSettled]] = Projection(
    name="dead_letters",
    topic="action-dead-letters",
    handles=(DeadLetter, DeadLetterSettled),
    tables=(TABLE,),
    migrations=load_migrations("dead_letters"),
    apply=apply,
)


def _place_of(event: DeadLetter | DeadLetterSettled) -> Place:
    return to_stored(event.topic), event.partition, event.offset


def _row(event: DeadLetter | DeadLetterSettled, **values: object) -> Row:
    nothing = dict.fromkeys(TABLE.columns)
    return {**nothing, **dict(zip(PLACE_COLUMNS, _place_of(event), strict=True)), "status": "open", **values}


def _letter_row(letter: DeadLetter) -> Row:
    headers = [[name, base64.b64encode(value).decode()] for name, value in letter.headers]
    return _row(
        letter,
        reason=to_stored(letter.reason),
        message=to_stored(letter.message),
        at=letter.at,
        key=letter.key,
        value=letter.value,
        headers=json.dumps(headers, separators=(",", ":")),
        request_id=to_stored_or_none(letter.request_id),
        space_id=to_stored_or_none(letter.space_id),
        connector_id=to_stored_or_none(letter.connector_id),
    )


def _settlement_row(settled: DeadLetterSettled) -> Row:
    return _row(
        settled,
        at=settled.at,
        status="dropped" if settled.redriven_as is None else "redriven",
        settled_at=settled.at,
        settled_by=to_stored_or_none(settled.by),
        redriven_as=to_stored_or_none(settled.redriven_as),
    )


def _open(scope: Scope, where: DeadLetterFilter, *, repeatable: bool) -> list[Condition]:
    conditions = [*_conditions(scope, where, status="open")]
    return [*conditions, ("repeatable", ())] if repeatable else conditions


def _conditions(scope: Scope, where: DeadLetterFilter, **instead: object) -> Iterator[Condition]:
    yield "known", ()
    if scope.space_id is not None:
        yield "space_or_none" if scope.with_spaceless else "space", (to_stored(scope.space_id),)
    for field in fields(where):
        value = instead.get(field.name, getattr(where, field.name))
        if value is not None:
            yield field.name, (to_stored(value) if isinstance(value, str) else value,)


def _listed(row: Mapping[str, Any]) -> ListedLetter:
    item = _item(row)
    return ListedLetter(item, write_cursor(row["at"], str(item["id"])))


def _place_in_time(cursor: str) -> tuple[object, ...]:
    at, text = read_cursor(cursor, str)
    place = place_of_id(str(text))
    if place is None:
        raise cursor_invalid(cursor)
    return at, *place


def _row_place(row: Mapping[str, Any]) -> Place:
    return row["record_topic"], row["record_partition"], row["record_offset"]


def _kept(row: Mapping[str, Any]) -> KeptLetter:
    return KeptLetter(_letter(row), row["status"], from_stored_or_none(row["redriven_as"]), _item(row))


def _letter(row: Mapping[str, Any]) -> DeadLetter:
    topic, partition, offset = _row_place(row)
    return DeadLetter(
        topic=from_stored(topic),
        partition=partition,
        offset=offset,
        reason=from_stored(row["reason"]),
        message=from_stored(row["message"]),
        at=row["at"],
        key=row["key"],
        value=row["value"],
        headers=tuple((name, base64.b64decode(value)) for name, value in json.loads(row["headers"])),
        request_id=from_stored_or_none(row["request_id"]),
        space_id=from_stored_or_none(row["space_id"]),
        connector_id=from_stored_or_none(row["connector_id"]),
    )


def _item(row: Mapping[str, Any]) -> JsonObject:
    topic, partition, offset = _row_place(row)
    settled_at = row["settled_at"]
    return {
        "id": letter_id((from_stored(topic), partition, offset)),
        "@timestamp": iso_millis(row["at"]),
        "status": row["status"],
        "reason": from_stored(row["reason"]),
        "message": from_stored(row["message"]),
        "request_id": from_stored_or_none(row["request_id"]),
        "space_id": from_stored_or_none(row["space_id"]),
        "connector_id": from_stored_or_none(row["connector_id"]),
        "value_bytes": row["value_bytes"],
        "settled_at": None if settled_at is None else iso_millis(settled_at),
        "settled_by": from_stored_or_none(row["settled_by"]),
        "redriven_as": from_stored_or_none(row["redriven_as"]),
    }
