"""The seam between the roles and the log.

Two adapters stand behind it, held to one contract suite: `connectory.infra.kafka` for a real cluster and
`connectory.infra.in_memory_log` for tests and `up --memory`. Topic names here are without the configured prefix; the
adapter adds it, and likewise to names of groups and claims and to transactional ids, so that two installations share a
cluster.

Reading is always *read committed*: records of open or aborted transactions are never seen. Offsets count control
records too (a transaction's marker takes one), so `position` may pass an offset that no record has.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import lru_cache
from typing import Final, NamedTuple, Protocol, TypeAlias

from connectory.domain.errors import MessageTooLarge, Unavailable
from connectory.infra.topics import TopicSpec

Headers: TypeAlias = Sequence[tuple[str, bytes]]

MAX_RECORD_BYTES: Final = 1_048_000
"""Key, value and headers together: with what the format adds it fits a broker's default limit of 1,048,588 bytes."""

STALLED_SECONDS: Final = 60.0
"""How long somebody who reads up to an end waits for the next record: longer than a broker takes to end the transaction
of a writer that has vanished."""

END_OF_TIME_MS: Final = 253_402_300_799_000
"""A moment that no record has reached: `offset_at` answers the end for it."""


class Message(NamedTuple):
    """A record to be written. Without `partition` the key decides: murmur2, as in the Java client."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None


class Record(NamedTuple):
    """A record as read. `timestamp_ms` is Unix time in milliseconds, set by the producer."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Position(NamedTuple):
    """Where a record was written."""

    topic: str
    partition: int
    offset: int


class Committed(NamedTuple):
    """A group's progress in a partition: the next offset to read, and what the member noted with it."""

    offset: int
    metadata: str = ""


class Claim(Protocol):
    """The right to write to one partition, until another claims the same name: in this process or in any other."""

    async def write(self, messages: Sequence[Message]) -> list[Position]:
        """Write all to the claimed partition, in order, and return when every one is acknowledged.

        Calls at the same time share batches as with `Writer.write`, and those of several claims share requests. Raises
        `Fenced` once the name has been claimed anew: of such a call nothing is written that the later claim could not
        already see. Raises `Unavailable` and `MessageTooLarge` as `Writer.write` does; a claim goes on after both.
        """
        ...


class Writer(Protocol):
    """An idempotent producer with `acks=all`."""

    async def write(self, messages: Sequence[Message]) -> list[Position]:
        """Write all, in order within a partition, and return when every one is acknowledged.

        Calls at the same time are safe and share requests; within a partition their order is the order of the calls.
        Raises `Unavailable` when the broker does not acknowledge in time; some may have been written. Raises
        `MessageTooLarge` before anything is written.
        """
        ...

    def claim(self, topic: str, partition: int, name: str) -> AbstractAsyncContextManager[Claim]:
        """Claim a partition under a name; use one name for one partition.

        Once it is entered, nothing of an earlier claim of that name can be written any more: what was under way has
        been written, or never will be. Who only calls `write` is not kept out. Entering raises `Unavailable`, or
        `Fenced` when another claims at the same moment.
        """
        ...


class TransactionWriter(Protocol):
    """The inside of one transaction. Leaving the context commits; an exception aborts it."""

    async def write(self, messages: Sequence[Message]) -> list[Position]: ...

    async def commit_offsets(self, group: str, offsets: Mapping[tuple[str, int], int]) -> None:
        """Make (topic, partition) → next offset part of the transaction. After all writes, never beside them."""
        ...


class Transactions(Protocol):
    """A transactional producer. Opening it fences every earlier one of the same id (they get `Fenced`).

    One transaction at a time. After `Fenced`, or when it is not known whether a commit took place (`Unavailable`), it
    is of no more use: open it anew, which settles what was left open, and read what is committed.
    """

    def begin(self) -> AbstractAsyncContextManager[TransactionWriter]: ...


class Tail(Protocol):
    """A reader of one partition that nobody shares."""

    @property
    def position(self) -> int:
        """The next offset to be read."""
        ...

    async def end_offset(self) -> int:
        """The offset after the last record that can be read now: records of open transactions end it.

        A broker acknowledges a commit before the records become readable, some milliseconds later and in each
        partition at its own time.
        """
        ...

    async def high_watermark(self) -> int:
        """The offset after the last record written, readable or not, as of now.

        Once `position` has got there, whatever was committed before this call has been read. That may take as long
        as a transaction stays open.
        """
        ...

    async def fetch(self, timeout: float) -> Sequence[Record]:
        """Return the next records, or nothing after `timeout` seconds. May move `position` without a record."""
        ...


class Share(Protocol):
    """One partition number of a group's topics, owned by one member until `revoked` is set."""

    index: int
    revoked: asyncio.Event

    async def committed(self, topic: str) -> Committed | None:
        """The group's progress; None if it never committed or its progress has expired."""
        ...

    def start(self, offsets: Mapping[str, int]) -> None:
        """Start fetching each topic from its offset. Nothing is fetched before."""
        ...

    async def fetch(self, topic: str, max_records: int, timeout: float) -> Sequence[Record]:
        """Return up to `max_records` of a topic in order, or nothing after `timeout` seconds or on `revoked`.

        What is not fetched waits in a bounded buffer, and then at the broker: other topics and shares are not held up.
        Different topics may be fetched at the same time, each by one caller.
        """
        ...

    async def commit(self, progress: Mapping[str, Committed]) -> None:
        """Record the group's progress. Raises `Fenced` when the partition is no longer ours."""
        ...


Serve: TypeAlias = Callable[[Share], Awaitable[None]]


class Log(Protocol):
    """The log as the roles see it. Every call raises `Unavailable` when the broker cannot be reached in time."""

    async def create_topics(self, specs: Sequence[TopicSpec]) -> list[str]:
        """Create what is missing, leave the rest as it is, and return the names created."""
        ...

    async def partition_count(self, topic: str) -> int: ...

    async def beginning_offset(self, topic: str, partition: int) -> int: ...

    async def offset_at(self, topic: str, partition: int, timestamp_ms: int) -> int:
        """The first offset whose record is not older, or the end offset when there is none."""
        ...

    async def backlog(self, group: str, topics: Sequence[str]) -> Mapping[str, int]:
        """How many offsets of each topic the group has not committed yet, members or none.

        More than the records that are left: what is done behind something that is not is counted, and so are the
        markers of transactions. Raises `Unavailable`.
        """
        ...

    def tail(self, topic: str, partition: int, offset: int) -> AbstractAsyncContextManager[Tail]:
        """Read one partition from an offset on (below the beginning: from the beginning)."""
        ...

    def writer(self) -> AbstractAsyncContextManager[Writer]: ...

    def transactions(self, transactional_id: str) -> AbstractAsyncContextManager[Transactions]: ...

    async def join(self, group: str, topics: Sequence[str], serve: Serve) -> None:
        """Be a member of a group until cancelled: run `serve` for each partition number that is assigned.

        The topics must have the same partition count; a member gets the same partition numbers of all of them. On a
        rebalance or cancellation `share.revoked` is set and `serve` is awaited for a grace time, then cancelled;
        until it ends its commits are still accepted, unless the group has lost us.
        When a `serve` raises, or returns before its share is revoked, the member leaves the group and the exception
        is raised from here. Only `Fenced` after `revoked` is no failure.
        """
        ...


def check_sizes(messages: Sequence[Message], limit: int = MAX_RECORD_BYTES) -> None:
    """Raises `MessageTooLarge` for the first of more than `limit` bytes; by default, for what no broker would take."""
    for message in messages:
        size = record_size(message)
        if size > limit:
            text = f"A record of {size} bytes for {message.topic} is larger than the log takes ({limit} bytes)"
            raise MessageTooLarge(text)


def record_size(message: Message) -> int:
    """Bytes of key, value and headers."""
    size = len(message.key or b"") + len(message.value or b"")
    for name, value in message.headers:
        size += len(name) + len(value)
    return size


def partition_for(key: bytes, partitions: int) -> int:
    """The partition of a key as the Java client's default partitioner chooses it."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


@lru_cache(maxsize=1 << 16)
def murmur2(data: bytes) -> int:
    """Murmur2 with Kafka's seed, as an unsigned 32-bit number. Remembered: the same connectors come again and again."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = 0x9747B28C ^ len(data)
    whole = len(data) & ~3
    for i in range(0, whole, 4):
        k = (int.from_bytes(data[i : i + 4], "little") * m) & mask
        k = ((k ^ (k >> 24)) * m) & mask
        h = ((h * m) & mask) ^ k
    rest = data[whole:]
    if rest:
        h = ((h ^ int.from_bytes(rest, "little")) * m) & mask
    h = ((h ^ (h >> 13)) * m) & mask
    return h ^ (h >> 15)


async def read_until(tail: Tail, end: int) -> AsyncIterator[Sequence[Record]]:
    """The records before offset `end`, in batches as they come. Raises `Unavailable` when they stop coming."""
    while tail.position < end:
        try:
            async with asyncio.timeout(STALLED_SECONDS):
                records = await _read_on(tail)
        except TimeoutError as error:
            raise Unavailable(f"Kafka delivers nothing from offset {tail.position} on, and {end} is its end") from error
        yield [record for record in records if record.offset < end]


async def _read_on(tail: Tail) -> Sequence[Record]:
    """The next records, or none when only markers of transactions came."""
    begin = tail.position
    records: Sequence[Record] = ()
    while tail.position == begin and not records:
        records = await tail.fetch(1.0)
    return records


async def read_all(tail: Tail, deadline_seconds: float = 60.0, *, settled: bool = False) -> Sequence[Record]:
    """Read a tail up to its end as of now. For short ranges: everything is held in memory.

    `settled` waits for transactions that are open now, so that nothing committed before the call is missed. Raises
    `TimeoutError` after `deadline_seconds`.
    """
    records: list[Record] = []
    end = await (tail.high_watermark() if settled else tail.end_offset())
    async with asyncio.timeout(deadline_seconds):
        while tail.position < end:
            records.extend(await tail.fetch(1.0))
    return records
