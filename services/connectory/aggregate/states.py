"""The memory of one partition: every subject's state, as encoded bytes.

Bytes, decoded on use, so that a million connectors fit in about a gigabyte. Changes of a batch are held apart until
its transaction is committed.
"""

import logging
from typing import Generic

from connectory.aggregate.aggregate import Aggregate as Aggregate
from connectory.aggregate.aggregate import C, E, S
from connectory.domain.errors import Undecodable
from connectory.infra.log import Log, Record, read_all
from connectory.infra.messages import Messages

REMEMBERED_EVENTS = 1000
"""How far back a partition's events are read for what was deleted: that has no state to remember commands in."""

log = logging.getLogger(__name__)


class PartitionStates(Generic[C, S, E]):
    """States by subject id. `last_event` is the offset of the partition's last event, -1 when it has none."""

    def __init__(self, aggregate: Aggregate[C, S, E], messages: Messages, partition: int) -> None:
        self._aggregate = aggregate
        self._messages = messages
        self._partition = partition
        self._encoded: dict[str, bytes] = {}
        self._deleted: dict[str, S] = {}
        self.last_event = -1

    def get(self, subject_id: str) -> S:
        """The subject as it is committed. Raises `Undecodable` when what the log holds of it is no record of ours."""
        encoded = self._encoded.get(subject_id)
        if encoded is not None:
            return self._messages.decode(encoded, self._aggregate.stored)
        return self._deleted.get(subject_id, self._aggregate.absent)

    def put(self, subject_id: str, state: S, encoded: bytes | None) -> None:
        """Take over a committed state; `encoded` None means that it is a tombstone on the log."""
        if encoded is None:
            self._encoded.pop(subject_id, None)
            self._deleted[subject_id] = state
            while len(self._deleted) > REMEMBERED_EVENTS:
                del self._deleted[next(iter(self._deleted))]
        else:
            self._encoded[subject_id] = encoded
            self._deleted.pop(subject_id, None)

    async def restore(self, log: Log) -> None:
        """Read the partition's states, and the last of its events for what was deleted lately."""
        await self._restore_states(log)
        await self._restore_deletions(log)

    async def _restore_states(self, log: Log) -> None:
        async with log.tail(self._aggregate.states_topic, self._partition, 0) as tail:
            end = await tail.end_offset()
            while tail.position < end:
                for record in await tail.fetch(1.0):
                    self._restore_state(record.key, record.value)

    def _restore_state(self, key: bytes | None, value: bytes | None) -> None:
        subject_id = (key or b"").decode("utf-8", "replace")
        if value is None:
            self._encoded.pop(subject_id, None)
        else:
            self._encoded[subject_id] = value

    async def _restore_deletions(self, log: Log) -> None:
        topic = self._aggregate.events_topic
        async with log.tail(topic, self._partition, 0) as whole:
            start = max(0, await whole.end_offset() - REMEMBERED_EVENTS)
        gone: dict[str, S] = {}
        async with log.tail(topic, self._partition, start) as tail:
            for record in await read_all(tail):
                self._recall(record, gone)
                self.last_event = record.offset
        self._deleted = {
            subject_id: state for subject_id, state in gone.items() if not isinstance(state, self._aggregate.stored)
        }

    def _recall(self, record: Record, gone: dict[str, S]) -> None:
        """Fold the event into its subject among those that are gone; of one that is there the state tells all."""
        try:
            event = self._messages.decode(record.value, *self._aggregate.events)
        except Undecodable as error:
            log.warning("skipped an undecodable event at %s/%d/%d: %s", *record[:3], error)
            return
        subject_id = self._aggregate.subject_of_event(event)
        if subject_id not in self._encoded:
            before = gone.pop(subject_id, self._aggregate.absent)  # the one deleted last is to be the last
            gone[subject_id] = self._aggregate.evolve(before, event)
