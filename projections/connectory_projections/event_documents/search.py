"""The queries on documents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from connectory.domain.json_types import JsonObject
from connectory_projections.event_documents.compiling import Compiler
from connectory_projections.event_documents.conditions import Condition
from connectory_projections.event_documents.document import Product, document, document_id
from connectory_projections.event_documents.fields import VISIBLE, Field, Kind
from connectory_projections.model import Query
from connectory_projections.sql_files import load_statements
from connectory_projections.stored_text import from_stored

SortValue: TypeAlias = str | int | None
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SQL = load_statements(__file__)


@dataclass(frozen=True, slots=True)
class Order:
    """By a field of documents that is not a text of words, or by `message` as a whole.

    Documents without it come last, or count as the `lowest`.
    """

    field: str
    descending: bool = False
    missing: Literal["last", "lowest"] = "last"


@dataclass(frozen=True, slots=True)
class EventDocument:
    """`sort` has the values that it is sorted by: times in milliseconds since 1970."""

    id: str
    source: JsonObject
    sort: Sequence[SortValue] = ()


NEWEST_FIRST: Final = (Order("@timestamp", descending=True),)


def search(
    where: Condition, order: Sequence[Order], product: Product, *, offset: int, limit: int
) -> Query[EventDocument]:
    """The documents of a page. Those that the order leaves equal come by time and identity, so that pages fit."""
    compiler = Compiler(product.server_uuid)
    fields = [compiler.fields[each.field] for each in order]
    sorting = [(each, field) for each, field in zip(order, fields, strict=True) if field.constant is None]
    text = _SQL["search"].format(
        sorted_by="".join(f', {_expression(field)} AS "{field.name}"' for _, field in sorting),
        visible=VISIBLE,
        where=compiler.text(where),
        order=", ".join((*(_ordering(*each) for each in sorting), *_tie_breakers(order))),
        limit=compiler.bind(limit, "bigint"),
        offset=compiler.bind(offset, "bigint"),
    )

    def read(row: Mapping[str, Any]) -> EventDocument:
        values = [field.constant or _sort_value(row[field.name]) for field in fields]
        return EventDocument(document_id(row), document(row, product), values)

    return Query(*compiler.statement(text), read)


def count(where: Condition, product: Product, *, at_most: int) -> Query[int]:
    """How many there are; when more than that, that number."""
    compiler = Compiler(product.server_uuid)
    limit = compiler.bind(at_most, "bigint")
    text = _SQL["count"].format(visible=VISIBLE, where=compiler.text(where), limit=limit)
    return Query(*compiler.statement(text), lambda row: int(row["found"]))


def outcomes(where: Condition, product: Product, *, newest: int) -> Query[tuple[str, int]]:
    """How many of the newest runs ended in which way."""
    compiler = Compiler(product.server_uuid)
    limit = compiler.bind(newest, "bigint")
    text = _SQL["outcomes"].format(visible=VISIBLE, where=compiler.text(where), limit=limit)
    return Query(*compiler.statement(text), lambda row: (str(row["outcome"]), int(row["runs"])))


def sort_value_of(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _expression(field: Field) -> str:
    return f"CASE WHEN {field.when} THEN {field.sql} END" if field.when else field.sql


def _ordering(order: Order, field: Field) -> str:
    direction = "DESC" if order.descending else "ASC"
    text = f'{_expression(field)} COLLATE "C"' if field.kind in (Kind.KEYWORD, Kind.TEXT) else _expression(field)
    if field.always:
        return f"{text} {direction}"
    nulls = "FIRST" if order.missing == "lowest" and not order.descending else "LAST"
    return f"{text} {direction} NULLS {nulls}"


def _tie_breakers(order: Sequence[Order]) -> Sequence[str]:
    direction = "DESC" if not order or order[0].descending else "ASC"
    return [f"{column} {direction}" for column in ("at", "execution_id", "action")]


def _sort_value(value: object) -> SortValue:
    match value:
        case datetime():
            return sort_value_of(value)
        case str():
            return from_stored(value)
        case int() | None:
            return value
        case _:
            return str(value)
