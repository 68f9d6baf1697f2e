"""Applies records to the store, however long the store is away and whatever row it refuses."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from itertools import chain
from typing import TypeVar

from connectory.domain.errors import RowsRefused, Unavailable
from connectory.infra.log import Record
from connectory.projector.ports import RowStore
from connectory.projector.reading import RecordReader
from connectory_projections.model import AnyProjection, RowChange

FIRST_WAIT = 0.1
LONGEST_WAIT = 5.0
"""Seconds between attempts while the store is away."""

T = TypeVar("T")
log = logging.getLogger(__name__)


class Revoked(Exception):
    """The partition went to somebody else while the store was away."""


class Applier:
    """Brings one partition of a projection forward.

    Every call waits while the store is away, and raises `Revoked` when the partition is lost meanwhile.
    """

    def __init__(
        self, store: RowStore, projection: AnyProjection, reader: RecordReader, partition: int, revoked: asyncio.Event
    ) -> None:
        self._store = store
        self._projection = projection
        self._reader = reader
        self._partition = partition
        self._revoked = revoked

    async def next_offset(self) -> int:
        """The offset of the first record that is not applied."""
        return await self._until_available(lambda: self._store.next_offset(self._projection, self._partition))

    async def apply(self, records: Sequence[Record], expected: int) -> int:
        """Apply the records and return the next offset; `expected` is the stored one before.

        Raises `Fenced` when another instance has moved the stored offset.
        """
        return await self._store_all(records, await self._reader.read(records), expected)

    async def _store_all(self, records: Sequence[Record], read: Sequence[Sequence[RowChange]], expected: int) -> int:
        """`read` is what each of the records changes."""
        next_offset = records[-1].offset + 1
        changes = list(chain.from_iterable(read))

        async def attempt() -> None:
            await self._store.apply(
                self._projection, self._partition, changes, expected=expected, next_offset=next_offset
            )

        try:
            await self._until_available(attempt)
        except RowsRefused as refusal:
            await self._store_without_refused(records, read, expected, refusal)
        return next_offset

    async def _store_without_refused(
        self, records: Sequence[Record], read: Sequence[Sequence[RowChange]], expected: int, refusal: RowsRefused
    ) -> None:
        """One refused row refuses its batch: find it by halves, and go on without it."""
        if len(records) == 1:
            self._reader.skip(records[0], refusal.message)
            await self._store_all(records, [()], expected)
            return
        middle = len(records) // 2
        between = await self._store_all(records[:middle], read[:middle], expected)
        await self._store_all(records[middle:], read[middle:], between)

    async def _until_available(self, attempt: Callable[[], Awaitable[T]]) -> T:
        ceiling = FIRST_WAIT
        while True:
            try:
                return await attempt()
            except Unavailable as error:
                wait = ceiling * random.uniform(0.5, 1.0)
                log.warning("projection %s tries again in %.1f s: %s", self._projection.name, wait, error)
            await self._wait(wait)
            ceiling = min(LONGEST_WAIT, ceiling * 2)

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._revoked.wait()
        except TimeoutError:
            return
        raise Revoked
