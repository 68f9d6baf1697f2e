"""The executor's hold on one partition: restore, read the ledger, run, commit, and let go in good order."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import NoReturn, assert_never, cast

from connectory.domain import outcomes
from connectory.domain.errors import ConnectoryError, Fenced, Unavailable, Undecodable
from connectory.domain.execution import ActionRequest, Outcome, RequestPosition
from connectory.domain.outcomes import Attempt
from connectory.executor.attempts import Attempts, Job, World
from connectory.executor.connectors import PartitionConnectors
from connectory.executor.dispatch import Dispatcher
from connectory.executor.intake import Elsewhere, Intake, Stranded
from connectory.executor.journal import OutcomeJournal
from connectory.executor.ledger import Done, Fresh, InDoubt, Ledger, Resubmitted
from connectory.executor.progress import Progress, ledger_from
from connectory.executor.slots import Slots
from connectory.executor.window import Window
from connectory.infra.log import Committed, Log, Record, Share
from connectory.infra.messages import read_traceparent, trace_id_of
from connectory.infra.topics import ACTION_OUTCOMES, ACTION_REQUESTS, CONNECTORS

FETCH_SECONDS = 1.0
COMMIT_SECONDS = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of an executor. The window is that of each partition; `in_flight` is shared by all of them."""

    window_requests: int = 1000
    window_bytes: int = 64 * 1024 * 1024
    in_flight: int = 256
    in_flight_per_connector: int = 64
    dedupe_window: timedelta = timedelta(hours=1)
    grace: timedelta = timedelta(seconds=8)


@dataclass(frozen=True, slots=True)
class Executor:
    """What the partitions of one executor share."""

    log: Log
    journal: OutcomeJournal
    world: World
    limits: Limits
    slots: Slots
    partitions: int
    reply_partitions: int


async def execute_partition(executor: Executor, share: Share) -> None:
    """Own a partition until it is revoked.

    The order matters: connectors first, so that requests find them; then the progress of the group; then the ledger
    from where that progress says; only then is the first request read.
    """
    world = executor.world
    async with executor.log.tail(CONNECTORS, share.index, 0) as tail:
        connectors = PartitionConnectors(tail, world.messages, world.registry, world.vault)
        await connectors.restore()
        committed = await share.committed(ACTION_REQUESTS)
        beginning = await executor.log.beginning_offset(ACTION_REQUESTS, share.index)
        start = max(beginning, committed.offset if committed else 0)
        # We may have had this partition before, and hold outcomes of it still that the broker was away for.
        await executor.journal.flushed()
        ledger, outcomes_end = await read_ledger(executor, share.index, committed, start)
        executor.journal.begin(share.index, outcomes_end)
        running = PartitionExecutor(executor, share, connectors, ledger, Progress(start))
        share.start({ACTION_REQUESTS: start})
        await running.run()


async def read_ledger(
    executor: Executor, partition: int, committed: Committed | None, start: int
) -> tuple[Ledger, int]:
    """Read the partition's outcomes from the committed place or the dedupe window's start, whichever is earlier."""
    world = executor.world
    window_start = world.clock() - executor.limits.dedupe_window
    in_window = await executor.log.offset_at(ACTION_OUTCOMES, partition, int(window_start.timestamp() * 1000))
    ledger = Ledger(ACTION_REQUESTS, start, executor.limits.dedupe_window)
    async with executor.log.tail(ACTION_OUTCOMES, partition, min(in_window, ledger_from(committed) or 0)) as tail:
        end = await tail.end_offset()
        while tail.position < end:
            for record in await tail.fetch(FETCH_SECONDS):
                try:
                    ledger.absorb(world.messages.decode(record.value, Outcome))
                except Undecodable as error:
                    log.warning("skipped an undecodable outcome at %s/%d/%d: %s", *record[:3], error)
        return ledger, end


class PartitionExecutor:
    """The running part. Every task belongs to the group in `run`; whichever fails ends the hold on the partition."""

    def __init__(
        self,
        executor: Executor,
        share: Share,
        connectors: PartitionConnectors,
        ledger: Ledger,
        progress: Progress,
    ) -> None:
        limits = executor.limits
        self._world = executor.world
        self._slots = executor.slots
        self._grace = limits.grace.total_seconds()
        self._share = share
        self._connectors = connectors
        self._journal = executor.journal
        self._ledger = ledger
        self._progress = progress
        self._intake = Intake(
            executor.world.messages, executor.partitions, executor.reply_partitions, executor.world.clock
        )
        self._attempts = Attempts(executor.world, connectors, executor.journal)
        self._window = Window(limits.window_requests, limits.window_bytes)
        self._dispatcher: Dispatcher[Job] = Dispatcher(limits.in_flight_per_connector)
        self._in_flight: set[asyncio.Task[None]] = set()
        self._tasks = asyncio.TaskGroup()
        self._committed: Committed | None = None

    async def run(self) -> None:
        async with self._tasks as tasks:
            beside = [
                tasks.create_task(each)
                for each in (self._connectors.follow(), self._commit_now_and_then(), self._close_when_revoked())
            ]
            await self._take_in()
            await self._drain()
            await self._commit()
            for task in beside:
                task.cancel()

    async def _close_when_revoked(self) -> None:
        await self._share.revoked.wait()
        self._window.close()

    async def _take_in(self) -> None:
        while (room := await self._window.room()) and not self._share.revoked.is_set():
            for record in await self._share.fetch(ACTION_REQUESTS, room, FETCH_SECONDS):
                self._take(record)
            self._start_all()

    def _take(self, record: Record) -> None:
        size = len(record.value or b"")
        self._window.take(size)
        self._progress.begin(record.offset, self._journal.outcomes_end(self._share.index))
        done = partial(self._done, record.offset, size)
        match self._intake.read(record):
            case Elsewhere(message):
                self._journal.write(message, done)
            case Stranded(request, refusal):
                self._judge(record, request, done, refusal)
            case ActionRequest() as request:
                self._judge(record, request, done)

    def _judge(
        self,
        record: Record,
        request: ActionRequest,
        done: Callable[[], None],
        refusal: ConnectoryError | None = None,
    ) -> None:
        position, trace_id = _position(record), _trace_id(record)
        verdict = self._ledger.judge(record.offset, request, self._world.clock())
        match verdict:
            case Done():
                done()
            case Resubmitted():
                attempt = Attempt(request=request, position=position, execution_id=self._world.new_id())
                self._journal.record(outcomes.duplicate(attempt, self._world.clock()), done)
            case InDoubt(begun, attempts):
                self._dispatcher.add(request.connector_id, Job(request, position, done, trace_id, begun, attempts))
            case Fresh():
                self._dispatcher.add(request.connector_id, Job(request, position, done, trace_id, refusal=refusal))
            case _:
                assert_never(verdict)

    def _done(self, offset: int, size: int) -> None:
        self._progress.done(offset)
        self._window.give(size)

    def _start_all(self) -> None:
        """Start what may run, as far as there are places; the next one that is free comes by `_start_given`."""
        while self._dispatcher.is_runnable and self._slots.take(self._start_given):
            self._start_one()

    def _start_given(self) -> None:
        if self._dispatcher.is_runnable:
            self._start_one()
            self._start_all()
        else:
            self._slots.release()

    def _start_one(self) -> None:
        job = self._dispatcher.take()
        assert job is not None
        self._in_flight.add(self._tasks.create_task(self._carry_out(job)))

    async def _carry_out(self, job: Job) -> None:
        try:
            await self._attempts.carry_out(job)
        except Exception:
            self._dispatcher.clear()  # the hold on the partition ends by this: nothing more is to be started
            raise
        finally:
            self._in_flight.discard(cast("asyncio.Task[None]", asyncio.current_task()))
            self._dispatcher.release(job.request.connector_id)
            self._slots.release()
            self._start_all()

    async def _drain(self) -> None:
        """Let what is in flight come to its end, for a while; what is cut off then is in doubt for the next owner."""
        self._dispatcher.clear()
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=self._grace)
        for task in list(self._in_flight):
            task.cancel()
        await self._journal.flushed()

    async def _commit_now_and_then(self) -> NoReturn:
        while True:
            await asyncio.sleep(COMMIT_SECONDS)
            await self._commit()

    async def _commit(self) -> None:
        progress = self._progress.committable(self._journal.outcomes_end(self._share.index))
        if progress == self._committed:
            return
        try:
            await self._share.commit({ACTION_REQUESTS: progress})
            self._committed = progress
        except Fenced:
            log.info("partition %d has a new owner; its progress is read from the ledger", self._share.index)
        except Unavailable as error:
            log.warning("the progress of partition %d is committed later: %s", self._share.index, error)


def _position(record: Record) -> RequestPosition:
    return RequestPosition(topic=record.topic, partition=record.partition, offset=record.offset)


def _trace_id(record: Record) -> str | None:
    traceparent = read_traceparent(record.headers)
    return trace_id_of(traceparent) if traceparent else None
