"""Which keys the connectors' data keys are under: read from the log, for no read model holds any of it."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectory.domain.connector import Active
from connectory.domain.errors import Undecodable
from connectory.domain.secrets import WrappedKey
from connectory.infra.crypto import KeyStanding, SecretsVault
from connectory.infra.log import Log, Record, partition_for, read_until
from connectory.infra.messages import Messages
from connectory.infra.topics import CONNECTORS

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnOldKey:
    """A connector whose data key is under a key that only opens still."""

    connector_id: str
    space_id: str
    updated_at: datetime
    wrapped_key: WrappedKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """`total` counts all connectors, those without secrets too; `on_old_key` are in the order of their last change."""

    total: int
    on_old_key: tuple[OnOldKey, ...]
    on_unknown_key: int


@dataclass(frozen=True, slots=True)
class SealedConnectors:
    log: Log
    messages: Messages
    vault: SecretsVault

    async def survey(self, progress: Callable[[int, int], None] = lambda _done, _total: None) -> Survey:
        """Look at every connector; `progress` is told records read, and those there are. Raises `Unavailable`."""
        partitions = range(await self.log.partition_count(CONNECTORS))
        ends = [await self._end(partition) for partition in partitions]
        done = total = unknown = 0
        old: list[OnOldKey] = []
        for partition in partitions:
            found = _Partition()
            async for position, records in self._records(partition, ends[partition]):
                found.take(records, self._read)
                progress(done + position, sum(ends))
            done += ends[partition]
            total += len(found.connectors)
            unknown += sum(each is KeyStanding.UNKNOWN for each in found.connectors.values())
            old += [each for each in found.connectors.values() if isinstance(each, OnOldKey)]
        old.sort(key=lambda each: (each.updated_at, each.connector_id))
        return Survey(total=total, on_old_key=tuple(old), on_unknown_key=unknown)

    async def find(self, connector_id: str) -> Active | None:
        """The connector as it is now, with its sealed secrets, whatever its space.

        Reads a whole partition: for what people ask for now and then. Raises `Undecodable`, `Unavailable`.
        """
        partition = partition_for(connector_id.encode(), await self.log.partition_count(CONNECTORS))
        key, last = connector_id.encode(), None
        async for _, records in self._records(partition, await self._end(partition)):
            last = next((record for record in reversed(records) if record.key == key), last)
        if last is None or last.value is None:
            return None
        return self.messages.decode(last.value, Active)

    async def _end(self, partition: int) -> int:
        async with self.log.tail(CONNECTORS, partition, 0) as tail:
            return await tail.high_watermark()

    async def _records(self, partition: int, end: int) -> AsyncIterator[tuple[int, Sequence[Record]]]:
        async with self.log.tail(CONNECTORS, partition, 0) as tail:
            async for records in read_until(tail, end):
                yield min(tail.position, end), records

    def _read(self, record: Record) -> "OnOldKey | KeyStanding":
        """Only what is needed of it: there may be a million. What nobody can read is under no key of ours."""
        try:
            active = self.messages.decode(record.value, Active)
        except Undecodable as error:
            log.warning("passed over an undecodable connector at %s/%d/%d: %s", *record[:3], error)
            return KeyStanding.UNKNOWN
        wrapped = active.secrets.wrapped_key
        standing = KeyStanding.PRIMARY if wrapped is None else self.vault.standing(wrapped.key_id)
        if wrapped is None or standing is not KeyStanding.OLD:
            return standing
        return OnOldKey(
            connector_id=active.connector_id,
            space_id=active.space_id,
            updated_at=active.updated_at,
            wrapped_key=wrapped,
        )


class _Partition:
    """Connectors by key, as of the records taken so far."""

    def __init__(self) -> None:
        self.connectors: dict[bytes, OnOldKey | KeyStanding] = {}

    def take(self, records: Sequence[Record], read: Callable[[Record], OnOldKey | KeyStanding]) -> None:
        for record in records:
            key = record.key or b""
            if record.value is None:
                self.connectors.pop(key, None)
            else:
                self.connectors[key] = read(record)
