"""Applies records to the store, however long the store is away and whatever row it refuses."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from connectory.domain.errors import Unavailable
from connectory.infra.log import Record
from connectory.projector.ports import RowStore
from connectory.projector.reading import RecordReader
from connectory.projector.storing import store_records
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
        read, next_offset = await self._reader.read(records), records[-1].offset + 1
        await store_records(records, read, expected, next_offset, apply=self._apply, skip=self._reader.skip)
        return next_offset

    async def _apply(self, changes: Sequence[RowChange], expected: int, next_offset: int) -> None:
        async def attempt() -> None:
            await self._store.apply(
                self._projection, self._partition, changes, expected=expected, next_offset=next_offset
            )

        await self._until_available(attempt)

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
