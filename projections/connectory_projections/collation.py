"""The order of names: JavaScript's `localeCompare` with the root locale, which is the Unicode collation algorithm."""

import struct
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from pyuca import Collator  # type: ignore[import-untyped]

_LEVELS = 3
_END_OF_LEVEL = b"\0\0"


@lru_cache(maxsize=16_384)
def name_sort_key(name: str) -> bytes:
    """Bytes that compare as the names do.

    Base characters come first, then accents, then case (lower before upper). The weights are 16 bits wide, so their
    big-endian bytes keep the order of the tuples.
    """
    return _ascii_weights().key(name.encode()) if name.isascii() else collation_key(name)


def collation_key(name: str) -> bytes:
    """The same by the algorithm itself, whatever the characters: it takes ten times as long."""
    weights = _collation()(name)
    return struct.pack(f">{len(weights)}H", *weights)


class _AsciiWeights(NamedTuple):
    """For each level the high and the low bytes of the weights, by character; and the characters that have none.

    Within ASCII no character's weights depend on its neighbours, and each has one on every level or none at all.
    """

    levels: Sequence[tuple[bytes, bytes]]
    ignored: bytes

    def key(self, text: bytes) -> bytes:
        weighty = text.translate(None, self.ignored)
        key = bytearray(2 * len(weighty))
        levels = []
        for high, low in self.levels:
            key[0::2] = weighty.translate(high)
            key[1::2] = weighty.translate(low)
            levels.append(bytes(key) + _END_OF_LEVEL)
        return b"".join(levels)


@cache
def _ascii_weights() -> _AsciiWeights:
    empty = collation_key("")
    keys = {code: collation_key(chr(code)) for code in range(128)}
    ignored = bytes(code for code, key in keys.items() if key == empty)
    # A key of one character is one weight for each level with a zero between: each level's is every second one.
    levels = [(_column(keys, 4 * level, ignored), _column(keys, 4 * level + 1, ignored)) for level in range(_LEVELS)]
    return _AsciiWeights(levels, ignored)


def _column(keys: dict[int, bytes], at: int, ignored: bytes) -> bytes:
    """One byte of every character's key, as a table for `bytes.translate`."""
    return bytes(keys[code][at] if code < len(keys) and code not in ignored else 0 for code in range(256))


@cache
def _collation() -> Callable[[str], Sequence[int]]:
    """Made at first use: reading the table of weights takes a tenth of a second."""
    sort_key: Callable[[str], Sequence[int]] = Collator().sort_key
    return sort_key
