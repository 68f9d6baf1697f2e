"""What conditions on documents mean, said once more in Python over the documents themselves: the twin of the SQL."""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectory.infra.in_memory_rows import InMemoryRowStore
from connectory_projections import event_log
from connectory_projections.event_documents import EventDocument, Order, Product
from connectory_projections.event_documents.conditions import (
    All,
    AnyOf,
    Between,
    Condition,
    Entry,
    Everything,
    Exists,
    Like,
    Not,
    Nothing,
    OneOf,
    Says,
)
from connectory_projections.event_documents.document import document, document_id
from connectory_projections.event_documents.fields import FIELDS, NESTED, Kind
from connectory_projections.model import Row

ENDED = ("success", "failure")


def is_shown(row: Row) -> bool:
    was_made = row["started_at"] is not None or row["reason"] == "unauthorized"
    is_end = row["action"] == "execute" and row["outcome"] in ENDED and was_made
    return is_end or row["action"] in ("execute-start", "execute-timeout")


def meets(condition: Condition, found: Mapping[str, Any], prefix: str = "") -> bool:
    """Whether the document, or with `prefix` the entry of a nested field, is one of those asked for."""
    match condition:
        case Everything() | Nothing():
            return isinstance(condition, Everything)
        case Not(of):
            return not meets(of, found, prefix)
        case All(conditions):
            return all(meets(each, found, prefix) for each in conditions)
        case AnyOf(conditions):
            return any(meets(each, found, prefix) for each in conditions)
        case Entry(of):
            return any(meets(of, entry, f"{NESTED}.") for entry in values(found, NESTED))
        case _:
            is_here = condition.field.startswith(f"{NESTED}.") == bool(prefix)
            name = condition.field.removeprefix(prefix)
            return is_here and any(_is(condition, value) for value in values(found, name))


def values(found: Any, path: str) -> Iterator[Any]:
    """The values of a field, however many it has."""
    value = found
    for name in path.split(".") if path != "@timestamp" else [path]:
        if not isinstance(value, Mapping) or name not in value:
            return
        value = value[name]
    yield from value if isinstance(value, list) else [value]


def _is(condition: OneOf | Like | Says | Between | Exists, value: Any) -> bool:
    match condition:
        case Exists():
            return True
        case OneOf(values=wanted):
            return ("true" if value is True else value) in wanted
        case Like(parts=parts):
            return re.fullmatch(".*".join(map(re.escape, parts)), value, re.DOTALL) is not None
        case Says(phrases=phrases):
            return any(_says([list(word) for word in phrase], value) for phrase in phrases)
        case Between(low=low, high=high):
            own = _comparable(value, low if low is not None else high)
            above = low is None or own > low or (own == low and not condition.excludes_low)
            return above and (high is None or own < high or (own == high and not condition.excludes_high))


def _says(wanted: list[list[str]], text: str) -> bool:
    """Whether these words follow one another in the text."""
    words = [word for word in re.split(r"[\x00-/:-@\[-^`{-\x7f]+", text.lower()) if word]
    patterns = [re.compile(".*".join(map(re.escape, word))) for word in wanted]
    places = range(len(words) - len(patterns) + 1)
    return any(all(p.fullmatch(words[at + n]) for n, p in enumerate(patterns)) for at in places)


def _comparable(value: Any, like: object) -> Any:
    match like:
        case datetime():
            return datetime.fromisoformat(value)
        case Decimal():
            return Decimal(str(value))
        case _:
            return value


class InMemoryEventDocuments:
    """The read model over the in-memory rows."""

    def __init__(self, store: InMemoryRowStore, reach: Callable[[], Awaitable[None]]) -> None:
        self._store = store
        self._reach = reach

    async def search(
        self, where: Condition, order: Sequence[Order], product: Product, *, offset: int, limit: int
    ) -> Sequence[EventDocument]:
        rows = await self._rows(where, product)
        rows.sort(key=lambda row: (row["at"], row["execution_id"], row["action"]), reverse=_is_descending(order))
        found = [EventDocument(document_id(row), document(row, product)) for row in rows]
        for each in reversed(order):
            with_it = [one for one in found if list(values(one.source, each.field))]
            without = [one for one in found if not list(values(one.source, each.field))]
            with_it.sort(key=lambda one, each=each: _sorted_by(one, each.field), reverse=each.descending)  # type: ignore[misc]
            is_first = each.missing == "lowest" and not each.descending
            found = [*without, *with_it] if is_first else [*with_it, *without]
        page = found[offset : offset + limit]
        return [EventDocument(one.id, one.source, [_shown(one, each.field) for each in order]) for one in page]

    async def count(self, where: Condition, product: Product, *, at_most: int) -> int:
        return min(len(await self._rows(where, product)), at_most)

    async def outcomes(self, where: Condition, product: Product, *, newest: int) -> Mapping[str, int]:
        rows = [row for row in await self._rows(where, product) if row["action"] == "execute"]
        rows.sort(key=lambda row: row["started_at"] or row["at"], reverse=True)
        ended = [str(row["outcome"]) for row in rows[:newest]]
        return {outcome: ended.count(outcome) for outcome in set(ended)}

    async def _rows(self, where: Condition, product: Product) -> list[Any]:
        await self._reach()
        shown = [row for row in self._store.rows(event_log.TABLE.name) if is_shown(row)]
        return [row for row in shown if meets(where, document(row, product))]


def _is_descending(order: Sequence[Order]) -> bool:
    return not order or order[0].descending


def _sorted_by(found: EventDocument, field: str) -> Any:
    value = next(values(found.source, field))
    return Decimal(str(value)) if FIELDS[field].kind is Kind.NUMBER else value


def _shown(found: EventDocument, field: str) -> Any:
    value = next(values(found.source, field), None)
    match FIELDS[field].kind:
        case Kind.DATE if value is not None:
            return round(datetime.fromisoformat(value).timestamp() * 1000)
        case Kind.NUMBER if value is not None:
            return int(value)
        case _:
            return value
