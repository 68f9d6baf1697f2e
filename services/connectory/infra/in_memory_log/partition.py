"""One partition: its entries, what of them can be read, and who waits for more."""

import asyncio
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from operator import attrgetter
from typing import NamedTuple

from connectory.infra.log import Message, Record


class TransactionState(Enum):
    OPEN = auto()
    COMMITTED = auto()
    ABORTED = auto()


class Transaction:
    """What the entries of one transaction share. Compared by identity."""

    __slots__ = ("offsets", "partitions", "state")

    def __init__(self) -> None:
        self.state = TransactionState.OPEN
        self.partitions: dict[Partition, None] = {}
        self.offsets: dict[str, dict[tuple[str, int], int]] = {}

    def end(self, state: TransactionState) -> None:
        """Commit or abort: a marker, which takes an offset, goes to each touched partition."""
        self.state = state
        for partition in self.partitions:
            partition.mark(self)


class Entry(NamedTuple):
    """`record` None is the marker that ends a transaction."""

    offset: int
    record: Record | None
    transaction: Transaction | None = None

    def is_visible(self) -> bool:
        if self.record is None:
            return False
        return self.transaction is None or self.transaction.state is TransactionState.COMMITTED


class Partition:
    """Entries in offset order, with gaps where compaction took some away."""

    def __init__(self, topic: str, index: int) -> None:
        self.topic = topic
        self.index = index
        self.beginning = 0
        self.next_offset = 0
        self._entries: list[Entry] = []
        self._open: dict[Transaction, int] = {}
        # In the order of their coming, unlike a set: with a seed everything is to happen in the same order again.
        self._watchers: dict[asyncio.Event, None] = {}

    def append(self, message: Message, timestamp_ms: int, transaction: Transaction | None = None) -> int:
        """Add a record and return its offset."""
        offset = self.next_offset
        record = Record(
            self.topic, self.index, offset, timestamp_ms, message.key, message.value, tuple(message.headers)
        )
        if transaction is not None:
            self._open.setdefault(transaction, offset)
            transaction.partitions[self] = None
        self._add(Entry(offset, record, transaction))
        return offset

    def mark(self, transaction: Transaction) -> None:
        """Add the marker that ends a transaction."""
        self._open.pop(transaction, None)
        self._add(Entry(self.next_offset, None, transaction))

    def stable_end(self) -> int:
        """The offset of the first record of an open transaction, or the end."""
        return min(self._open.values(), default=self.next_offset)

    def read(self, offset: int, limit: int) -> tuple[list[Record], int]:
        """Up to `limit` visible records from `offset` on, and the offset to read on from."""
        end = self.stable_end()
        position = max(offset, self.beginning)
        records: list[Record] = []
        for entry in self._from(position):
            if entry.offset >= end:
                break
            if len(records) == limit:
                return records, position
            if entry.is_visible() and entry.record is not None:
                records.append(entry.record)
            position = entry.offset + 1
        return records, max(position, end)

    def offset_at(self, timestamp_ms: int) -> int:
        """The first visible record that is not older, else the end."""
        records, end = self.read(self.beginning, self.next_offset + 1)
        return next((record.offset for record in records if record.timestamp_ms >= timestamp_ms), end)

    def compact(self, *, drop_tombstones: bool) -> None:
        """Keep the last visible record of each key, as the broker's cleaner does up to the stable end."""
        end = self.stable_end()
        last = {entry.record.key: entry.offset for entry in self._entries if entry.record and entry.is_visible()}
        self._entries = [
            entry for entry in self._entries if entry.offset >= end or _is_kept(entry, last, drop_tombstones)
        ]

    def delete_before(self, offset: int) -> None:
        """Forget what is older, as retention does."""
        self.beginning = max(self.beginning, min(offset, self.next_offset))
        self._entries = list(self._from(self.beginning))

    @contextmanager
    def watched_by(self, changed: asyncio.Event) -> Iterator[None]:
        """Within, `changed` is set whenever there may be more to read."""
        self._watchers[changed] = None
        try:
            yield
        finally:
            self._watchers.pop(changed, None)

    def _add(self, entry: Entry) -> None:
        self._entries.append(entry)
        self.next_offset = entry.offset + 1
        for changed in self._watchers:
            changed.set()

    def _from(self, offset: int) -> Iterator[Entry]:
        first = bisect_left(self._entries, offset, key=attrgetter("offset"))
        return (self._entries[place] for place in range(first, len(self._entries)))


def _is_kept(entry: Entry, last: dict[bytes | None, int], drop_tombstones: bool) -> bool:
    if entry.record is None or not entry.is_visible():
        return False
    tombstone_goes = drop_tombstones and entry.record.value is None
    return last[entry.record.key] == entry.offset and not tombstone_goes
