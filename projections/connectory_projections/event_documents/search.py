"""The queries on documents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from connectory.domain.json_types import JsonObject
from connectory_projections.event_documents.compiling import Compiler
from connectory_projections.event_documents.conditions import Condition
from connectory_projections.event_documents.document import Product, document, document_id
from connectory_projections.event_documents.fields import FIELDS, VISIBLE
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
    condition = compiler.text(where)
    expressions = [_expression(each.field) for each in order]
    sql = _SQL["search"].format(
        sorted_by="".join(f", {expression} AS sort_{place}" for place, expression in enumerate(expressions)),
        visible=VISIBLE,
        where=condition,
        order=", ".join((*map(_ordering, order), *_tie_breakers(order))),
        limit=compiler.bind(limit, "bigint"),
        offset=compiler.bind(offset, "bigint"),
    )

    def read(row: Mapping[str, Any]) -> EventDocument:
        values = [_sort_value(row[f"sort_{place}"]) for place in range(len(order))]
        return EventDocument(document_id(row), document(row, product), values)

    return Query(sql, tuple(compiler.args), read)


def count(where: Condition, product: Product, *, at_most: int) -> Query[int]:
    """How many there are; when more than that, that number."""
    compiler = Compiler(product.server_uuid)
    condition, limit = compiler.text(where), compiler.bind(at_most, "bigint")
    sql = _SQL["count"].format(visible=VISIBLE, where=condition, limit=limit)
    return Query(sql, tuple(compiler.args), lambda row: int(row["found"]))


def outcomes(where: Condition, product: Product, *, newest: int) -> Query[tuple[str, int]]:
    """How many of the newest runs ended in which way."""
    compiler = Compiler(product.server_uuid)
    condition, limit = compiler.text(where), compiler.bind(newest, "bigint")
    sql = _SQL["outcomes"].format(visible=VISIBLE, where=condition, limit=limit)
    return Query(sql, tuple(compiler.args), lambda row: (str(row["outcome"]), int(row["runs"])))


def sort_value_of(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _expression(name: str) -> str:
    field = FIELDS[name]
    if field.constant is not None:
        return f"'{field.constant}'::text"  # one of ours: no constant comes from outside
    return f"CASE WHEN {field.when} THEN {field.sql} END" if field.when else field.sql


def _ordering(order: Order) -> str:
    direction = "DESC" if order.descending else "ASC"
    if FIELDS[order.field].always:
        return f"{_expression(order.field)} {direction}"
    nulls = "FIRST" if order.missing == "lowest" and not order.descending else "LAST"
    return f"{_expression(order.field)} {direction} NULLS {nulls}"


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
