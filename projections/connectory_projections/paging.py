"""Pages of rows: statements put together from conditions of an SQL file, and cursors to go on after a row."""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TypeAlias

from connectory.domain.errors import Refused

Condition: TypeAlias = tuple[str, tuple[object, ...]]
"""The name of a condition in the SQL file, with the values to be bound."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BIGINT = 2**63


def put_together(
    statements: Mapping[str, str], name: str, conditions: Iterable[Condition], limit: int
) -> tuple[str, tuple[object, ...]]:
    """The statement with all of these conditions, and the values to be bound.

    Its text has `{conditions}` and `{limit}`; a condition's text has `{value}` for each of its values.
    """
    numbers = count(1)
    texts: list[str] = []
    args: list[object] = []
    for condition, values in conditions:
        texts.append(_numbered(statements[condition], numbers))
        args.extend(values)
    sql = statements[name].format(conditions=" AND ".join(texts), limit=f"${next(numbers)}")
    return sql, (*args, limit)


def write_cursor(at: datetime, *others: str | int) -> str:
    """A cursor for the row of that moment, told from others of the same by `others`."""
    micros = (at - _EPOCH) // timedelta(microseconds=1)
    text = json.dumps([micros, *others], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str, *types: type[str] | type[int]) -> tuple[object, ...]:
    """The moment and what else `write_cursor` was given. Raises `Refused` (`cursor-invalid`) for any other text."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        match json.loads(text):
            case [int(micros), *others] if [type(each) for each in others] == [*types] and all(map(_fits, others)):
                return _EPOCH + timedelta(microseconds=micros), *others
    except (ValueError, OverflowError, RecursionError):
        pass
    raise cursor_invalid(cursor)


def _fits(value: str | int) -> bool:
    """Whether the database can hold a number: a cursor of one's own making may have any. Texts are for the reader."""
    return not isinstance(value, int) or -_BIGINT <= value < _BIGINT


def cursor_invalid(cursor: str) -> Refused:
    return Refused("cursor-invalid", f'cursor "{cursor}" is not one that a page has named; start without a cursor')


def _numbered(condition: str, numbers: Iterator[int]) -> str:
    first, *others = condition.split("{value}")
    return first + "".join(f"${next(numbers)}{text}" for text in others)
