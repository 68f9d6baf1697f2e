"""Text as Postgres can hold it: any string in, the same string out.

A Postgres text holds neither U+0000 nor lone surrogates, JSON strings may have both, and no such string may stop a
projection. They are written as U+0001 and four hexadecimal digits, and so is U+0001 itself.
"""

import re
from operator import itemgetter
from typing import Any

_UNSTORABLE = re.compile("[\x00\x01\ud800-\udfff]")
_ESCAPED = re.compile("\x01([0-9a-f]{4})")


def to_stored(text: str) -> str:
    if text.isascii() and text.isprintable():  # nearly all, and far cheaper than the search
        return text
    return _UNSTORABLE.sub(lambda found: f"\x01{ord(found[0]):04x}", text)


class TextColumns:
    """The columns of a table that hold texts, or nothing."""

    def __init__(self, *names: str) -> None:
        self._names = names
        self._texts = itemgetter(*names)

    def make_storable(self, row: dict[str, Any]) -> None:
        """Replace the texts of the row by what can be stored."""
        texts = "".join(filter(None, self._texts(row)))
        if not texts.isascii() or "\x00" in texts or "\x01" in texts:  # seldom, and one look is cheaper than many
            row.update({name: to_stored_or_none(row[name]) for name in self._names})


def to_stored_or_none(text: str | None) -> str | None:
    return None if text is None else to_stored(text)


def from_stored(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "\x01" in text else text


def from_stored_or_none(text: str | None) -> str | None:
    return None if text is None else from_stored(text)
