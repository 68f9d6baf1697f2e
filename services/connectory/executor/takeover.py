"""Taking over a partition: what has to be known before the first request is run, in the order that makes it true.

Connectors first, so that requests find them; then the claim to the outcomes, which whoever had the partition before
cannot add to any more; then the progress of the group; then what waits on the retry topics, and what the ledger says
about all of these.
"""

import logging
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from connectory.domain.errors import Undecodable
from connectory.domain.execution import Outcome
from connectory.executor.cancellations import Cancellations
from connectory.executor.connectors import PartitionConnectors
from connectory.executor.environment import Executor
from connectory.executor.ledger import Ledger
from connectory.executor.ordering import Key, KeyOrder
from connectory.executor.progress import ledger_from
from connectory.executor.waiting import Waiting, read_waiting
from connectory.infra.log import END_OF_TIME_MS, Committed, Log, Share
from connectory.infra.topics import ACTION_CANCELLATIONS, ACTION_OUTCOMES, ACTION_REQUESTS, CONNECTORS, RETRY_TOPICS

FETCH_SECONDS = 1.0

LOOK_BACK = timedelta(minutes=30)
"""How far back the ledger is read at least, before the last outcome and before the oldest record on a retry topic.

A request that was ended ahead of its time, or written to a retry topic twice, still has a record there, and what became
of it must be known. An executor that slept through its replacement may have written that record after the end."""

LAST_RECORDS = 50
"""Among so many records at the end there is one that can be read: the others are markers of transactions."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Takeover:
    """`starts` are the offsets to read on from, by topic; `waiting_for` the connectors of what is on retry topics. The
    ledger was read from its offset `ledger_from` on.
    """

    connectors: PartitionConnectors
    cancellations: Cancellations
    waiting: Waiting
    waiting_for: Collection[str]
    order: KeyOrder
    ledger: Ledger
    ledger_from: int
    starts: Mapping[str, int]


@asynccontextmanager
async def taken_over(executor: Executor, share: Share) -> AsyncIterator[Takeover]:
    world, partition = executor.world, share.index
    async with (
        executor.log.tail(CONNECTORS, partition, 0) as states,
        executor.log.tail(ACTION_CANCELLATIONS, partition, 0) as wishes,
    ):
        connectors = PartitionConnectors(
            states, world.messages, world.registry, world.vault, executor.policies, world.in_memory
        )
        await connectors.restore()
        cancellations = Cancellations(wishes, world.messages, executor.reply_partitions)
        await cancellations.restore()
        await executor.journal.take_over(partition)
        committed = {topic: await share.committed(topic) for topic in (ACTION_REQUESTS, *RETRY_TOPICS)}
        starts = {topic: await _start(executor, topic, partition, each) for topic, each in committed.items()}
        waiting = Waiting()
        found = await _find_waiting(executor, partition, starts, waiting)
        ledger = Ledger(starts[ACTION_REQUESTS], executor.limits.dedupe_window, waiting)
        begin = await _ledger_begin(executor, partition, committed, found.oldest_ms)
        executor.journal.begin(partition, await _read_ledger(executor, partition, begin, ledger))
        ledger.leave_to_waiting(waiting)
        order = KeyOrder(starts[ACTION_REQUESTS])
        for offset, key in found.keyed.items():
            if offset in waiting:  # what has its final outcome holds up nobody
                order.enter(*key, offset)
        yield Takeover(
            connectors=connectors,
            cancellations=cancellations,
            waiting=waiting,
            waiting_for=found.connectors,
            order=order,
            ledger=ledger,
            ledger_from=begin,
            starts=starts,
        )


async def _start(executor: Executor, topic: str, partition: int, committed: Committed | None) -> int:
    return max(await executor.log.beginning_offset(topic, partition), committed.offset if committed else 0)


@dataclass(slots=True)
class _OnRetryTopics:
    """What stands on the retry topics: ordering keys by offset, connectors, and when the oldest record was written."""

    keyed: dict[int, Key] = field(default_factory=dict)
    connectors: set[str] = field(default_factory=set)
    oldest_ms: int = END_OF_TIME_MS


async def _find_waiting(
    executor: Executor, partition: int, starts: Mapping[str, int], waiting: Waiting
) -> _OnRetryTopics:
    retries = {topic: start for topic, start in starts.items() if topic in RETRY_TOPICS}
    found = _OnRetryTopics()
    async for each, written_at_ms in read_waiting(executor.log, executor.world.messages, partition, retries):
        waiting.put(each)
        found.oldest_ms = min(found.oldest_ms, written_at_ms)
        found.connectors.add(each.request.connector_id)
        if each.request.ordering_key is not None:
            found.keyed[each.position.offset] = each.request.connector_id, each.request.ordering_key
    return found


async def _read_ledger(executor: Executor, partition: int, begin: int, ledger: Ledger) -> int:
    """Read the partition's outcomes from `begin` on, and return where they end."""
    world = executor.world
    async with executor.log.tail(ACTION_OUTCOMES, partition, begin) as tail:
        end = await tail.end_offset()
        while tail.position < end:
            for record in await tail.fetch(FETCH_SECONDS):
                try:
                    ledger.absorb(world.messages.decode(record.value, Outcome))
                except Undecodable as error:
                    log.warning("skipped an undecodable outcome at %s/%d/%d: %s", *record[:3], error)
        return end


async def _ledger_begin(
    executor: Executor, partition: int, committed: Mapping[str, Committed | None], oldest_waiting_ms: int
) -> int:
    """The committed places, the start of the time that ids are remembered for, or where what became of the oldest
    record on a retry topic may stand, whichever is earliest.

    Retry topics without progress have never been read: the records in them follow outcomes of the other topics.
    """
    now = min(executor.world.clock(), await _last_written(executor.log, partition))
    recent = now - max(executor.limits.dedupe_window, LOOK_BACK)
    since_ms = min(int(recent.timestamp() * 1000), oldest_waiting_ms - int(LOOK_BACK.total_seconds() * 1000))
    in_window = await executor.log.offset_at(ACTION_OUTCOMES, partition, max(0, since_ms))
    requests = ledger_from(committed[ACTION_REQUESTS]) or 0
    retries = [place for topic in RETRY_TOPICS if (place := ledger_from(committed[topic])) is not None]
    return min(in_window, requests, *retries)


async def _last_written(log_: Log, partition: int) -> datetime:
    """When the last outcome was written: time in which nobody ran the partition does not count."""
    async with log_.tail(ACTION_OUTCOMES, partition, 0) as tail:
        end = await tail.end_offset()
    async with log_.tail(ACTION_OUTCOMES, partition, max(0, end - LAST_RECORDS)) as tail:
        last: int | None = None
        while tail.position < end:
            for record in await tail.fetch(FETCH_SECONDS):
                last = record.timestamp_ms
    return datetime.max.replace(tzinfo=UTC) if last is None else datetime.fromtimestamp(last / 1000, UTC)
