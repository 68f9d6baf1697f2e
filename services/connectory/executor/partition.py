"""The executor's hold on one partition: read, run, commit, and let go in good order."""

import asyncio
import logging
from collections.abc import Coroutine
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NoReturn, assert_never

from connectory.domain import outcomes
from connectory.domain.errors import ConnectoryError
from connectory.domain.execution import ActionRequest, Outcome, RequestPosition, WaitingRequest
from connectory.domain.outcomes import Attempt
from connectory.executor import dead_letters
from connectory.executor.attempts import Attempts
from connectory.executor.dispatch import Dispatcher
from connectory.executor.endings import Endings
from connectory.executor.environment import Executor
from connectory.executor.intake import Elsewhere, Intake, Stranded, submitted_at
from connectory.executor.jobs import Job, Source, resumed
from connectory.executor.lanes import Lanes
from connectory.executor.ledger import Done, Fresh, Resubmitted, Unfinished
from connectory.executor.polling import Polling
from connectory.executor.postponement import Postponement
from connectory.executor.records import TakenRecords
from connectory.executor.settlement import Settlement
from connectory.executor.statistics import OpenRequests, by_type
from connectory.executor.sweep import Sweep
from connectory.executor.takeover import Takeover, taken_over
from connectory.executor.throttle import Throttles
from connectory.infra.log import Record, Share
from connectory.infra.messages import read_traceparent, trace_id_of
from connectory.infra.topics import ACTION_REQUESTS, RETRY_TOPICS

FETCH_SECONDS = 1.0
UPKEEP_SECONDS = 1.0

RESERVED = 8
"""One place in so many is for connectors that have nothing in flight."""

IN_A_ROW = 8
"""Requests that a partition carries out in one place before others get their turn at it."""

TAKEN_TOGETHER = 100
"""Records of a retry topic that are taken at once: they are in memory while their time has not come."""

log = logging.getLogger(__name__)


async def execute_partition(executor: Executor, share: Share) -> None:
    """Own a partition until it is revoked."""
    async with taken_over(executor, share) as takeover:
        running = PartitionExecutor(executor, share, takeover)
        share.start(takeover.starts)
        executor.statistics.partitions.add(running)
        try:
            await running.run()
        finally:
            executor.statistics.partitions.discard(running)


class PartitionExecutor:
    """The running part. Every task belongs to the group in `run`; whichever fails ends the hold on the partition."""

    def __init__(self, executor: Executor, share: Share, takeover: Takeover) -> None:
        world, limits, journal, connectors = executor.world, executor.limits, executor.journal, takeover.connectors
        self._world = world
        self._slots = executor.slots
        self._statistics = executor.statistics
        self._grace = limits.grace.total_seconds()
        self._share = share
        self._takeover = takeover
        self._journal = journal
        self._records = TakenRecords(share, journal, takeover, limits.window_requests, limits.window_bytes)
        self._polling = Polling(
            share, self._records.fresh, executor.statistics, executor.limits.poll_interval.total_seconds()
        )
        self._intake = Intake(world.messages, executor.partitions, executor.reply_partitions, world.clock)
        self._in_flight: set[asyncio.Task[None]] = set()
        self._ahead: dict[int, Job] = {}
        self._tasks = asyncio.TaskGroup()

        self._endings = Endings(connectors, takeover.cancellations, self._end_what_is_over)
        throttles = Throttles(connectors.policy, limits.breaker, world.clock, takeover.ledger.last_starts)
        self._settlement = Settlement(
            world.messages, world.clock, journal, limits.retry, connectors.policy, throttles, self, executor.statistics
        )
        self._attempts = Attempts(
            world, connectors, takeover.cancellations, journal, self._settlement, executor.statistics
        )
        self._postponement = Postponement(
            world.messages,
            world.clock,
            journal,
            takeover.waiting,
            ending=self._endings.of,
            resume=self._resume,
            moved=self._moved,
        )
        self._lanes = self._new_lanes(executor, throttles)
        self._sweep = Sweep(
            executor.log,
            world.messages,
            share.index,
            takeover.waiting,
            ending=self._endings.of,
            admit=self._end_ahead,
            window=self._records.resumed,
        )
        self._restore_breakers(throttles)

    def _new_lanes(self, executor: Executor, throttles: Throttles) -> Lanes:
        policy_of = self._takeover.connectors.policy
        return Lanes(
            Dispatcher(lambda lane: policy_of(lane[0]).max_in_flight, executor.limits.in_flight // RESERVED),
            self._takeover.order,
            throttles,
            self._attempts,
            self._postponement,
            self._journal,
            self._world.clock,
            executor.limits.retry.max_age,
            executor.limits.window_requests // 4,
            executor.limits.window_bytes // 4,
            wake=self._start_all,
        )

    async def run(self) -> None:
        takeover = self._takeover
        takeover.connectors.on_change = self._connector_changed
        takeover.cancellations.on_new = lambda _names: self._end_what_is_over()
        async with self._tasks as tasks:
            beside = [
                tasks.create_task(self._or_close(each))
                for each in (
                    takeover.connectors.follow(),
                    takeover.cancellations.follow(),
                    self._endings.run(),
                    self._sweep.run(self._records.retry_starts),
                    self._keep_up(),
                    self._journal.lost(self._share.index),
                    self._close_when_revoked(),
                )
            ]
            self._endings.suspect(takeover.waiting_for)
            self._sweep.ask()
            async with asyncio.TaskGroup() as intakes:
                intakes.create_task(self._or_close(self._take_in()))
                for topic, stay in RETRY_TOPICS.items():
                    intakes.create_task(self._or_close(self._take_in_waiting(topic, stay)))
            await self._drain()
            await self._records.commit()
            for task in beside:
                task.cancel()

    async def _or_close(self, part: Coroutine[Any, Any, None]) -> None:
        """When a part fails, the hold on the partition ends by it: nothing more is to be started."""
        try:
            await part
        except BaseException:
            self._lanes.close()
            raise

    # What a settled job does to the partition: `connectory.executor.settlement.Holds`.

    def finished(self, job: Job) -> None:
        self._let_go(job)
        self._lanes.finished(job)

    def try_again(self, job: Job, due: datetime) -> None:
        self._postponement.until(job, due)

    def open_requests(self) -> OpenRequests:
        """For the figures of the executor."""
        due_times = (*self._takeover.waiting.due_times(), *self._postponement.due_times())
        idle, running = by_type(self._lanes.counts(), self._takeover.connectors.type_of)
        return OpenRequests(self._share.index, self._records.read_to, idle, running, due_times)

    # Reading.

    async def _close_when_revoked(self) -> None:
        await self._share.revoked.wait()
        self._records.close()

    async def _take_in(self) -> None:
        while await self._polling.take_in(self._take):
            self._lanes.read_to(self._records.read_to)
            self._start_all()

    async def _take_in_waiting(self, topic: str, stay: timedelta) -> None:
        while (room := await self._records.resumed.room()) and not self._share.revoked.is_set():
            for record in await self._share.fetch(topic, min(room, TAKEN_TOGETHER), FETCH_SECONDS):
                if not await self._has_come(record.timestamp_ms / 1000 + stay.total_seconds()):
                    return
                self._take_waiting(record)

    async def _has_come(self, moment: float) -> bool:
        """Wait until the clock shows it (Unix time in seconds); False when the partition is revoked meanwhile."""
        while not self._share.revoked.is_set():
            wait = moment - self._world.clock().timestamp()
            if wait <= 0:
                return True
            try:
                async with asyncio.timeout(wait):
                    await self._share.revoked.wait()
            except TimeoutError:
                continue
        return False

    def _take(self, record: Record) -> None:
        source = self._records.take(record)
        match self._intake.read(record):
            case Elsewhere(message):
                if message.topic == ACTION_REQUESTS:
                    self._statistics.forwarded()
                self._journal.write(message, partial(self._records.let_pass, source))
            case Stranded(request, refusal):
                self._judge(record, source, request, refusal)
            case ActionRequest() as request:
                self._judge(record, source, request)

    def _take_waiting(self, record: Record) -> None:
        source = self._records.take(record)
        match self._intake.read_waiting(record):
            case Elsewhere(message):
                self._journal.write(message, partial(self._records.let_pass, source))
            case WaitingRequest() as waiting if self._takeover.waiting.take(waiting):
                unfinished = self._takeover.ledger.unfinished(waiting.position.offset)
                self._go_on(resumed(waiting, source), unfinished or Unfinished(), waiting.due_at)
            case WaitingRequest() as waiting if (job := self._ahead.get(waiting.position.offset)) is not None:
                self._follow(source, job)
            case WaitingRequest() as waiting:
                self._pass_ended(source, waiting.request, self._takeover.ledger.failure(waiting.position.offset))

    def _judge(
        self, record: Record, source: Source, request: ActionRequest, refusal: ConnectoryError | None = None
    ) -> None:
        position = RequestPosition(topic=record.topic, partition=record.partition, offset=record.offset)
        now = self._world.clock()
        verdict = self._takeover.ledger.judge(record.offset, request, submitted_at(record, now))
        match verdict:
            case Done(failure):
                self._statistics.skipped()
                self._pass_ended(source, request, failure)
            case Resubmitted():
                attempt = Attempt(request=request, position=position, execution_id=self._world.new_id())
                self._journal.record(
                    outcomes.duplicate(attempt, self._world.clock()), partial(self._records.let_pass, source)
                )
            case Unfinished() | Fresh():
                job = Job(
                    request=request, position=position, source=source, trace_id=_trace_id(record), refusal=refusal
                )
                self._takeover.order.read(job)
                if isinstance(verdict, Fresh):
                    self._lanes.admit(job)
                else:
                    self._go_on(job, verdict, verdict.retry_at)
            case _:
                assert_never(verdict)

    def _go_on(self, job: Job, unfinished: Unfinished, due: datetime | None) -> None:
        """Go on with what a former owner began, when it is due; with what is in doubt at once."""
        if unfinished.attempts > job.attempts:
            due = unfinished.retry_at
        job.attempts = max(job.attempts, unfinished.attempts)
        job.possible_duplicate = job.possible_duplicate or unfinished.possible_duplicate
        if unfinished.begun and self._settlement.ends_in_doubt(job, unfinished.begun):
            return
        if unfinished.unscheduled is not None:
            self._journal.record(outcomes.schedule_retry(unfinished.unscheduled, self._world.clock()))
        if due is None or unfinished.begun:
            self._resume(job)
        else:
            self._postponement.until(job, due)

    def _resume(self, job: Job) -> None:
        self._lanes.admit(job)
        self._start_all()

    # Running.

    def _start_all(self) -> None:
        """Start what may run, as far as there are places; the next one that is free comes by `_start_given`."""
        while self._lanes.is_runnable and self._slots.take(self._start_given):
            if not self._start_one():
                self._slots.release()
                return

    def _start_given(self) -> None:
        if self._start_one():
            self._start_all()
        else:
            self._slots.release()

    def _start_one(self) -> bool:
        job = self._lanes.next(self._slots.free + 1)
        if job is None:
            return False
        task = self._tasks.create_task(self._work(job))
        self._in_flight.add(task)
        task.add_done_callback(self._worked)
        return True

    async def _work(self, job: Job | None) -> None:
        """Carry out some requests one after the other in one place: a task for each of them would cost more."""
        left = IN_A_ROW
        while job is not None:
            lane, left = job.lane, left - 1
            try:
                await self._attempts.carry_out(job)
            except BaseException:
                self._lanes.close()
                raise
            finally:
                self._lanes.ended(lane)
            job = self._lanes.next(self._slots.free + 1) if left else None

    def _worked(self, task: asyncio.Task[None]) -> None:
        """The place is free. Also of a task that was cancelled before its first step."""
        self._in_flight.discard(task)
        self._slots.release()
        self._start_all()

    def _pass_ended(self, source: Source, request: ActionRequest, failure: Outcome | None) -> None:
        """The request has ended before. Its dead letter may not have been written any more, so it is written again."""
        if failure is not None and dead_letters.is_kept(request, failure):
            letter = dead_letters.letter_of(self._world.messages, request, failure)
            self._journal.write(letter, partial(self._records.let_pass, source))
        else:
            self._records.let_pass(source)

    def _let_go(self, job: Job) -> None:
        if self._ahead.get(job.position.offset) is job:  # another may have been taken since this one was moved
            del self._ahead[job.position.offset]
            self._records.resumed.give(0)
        if job.source is not None:
            self._records.let_pass(job.source)

    def _moved(self, job: Job) -> None:
        """The request is on a retry topic. If it is to end, a sweep that was asked for meanwhile may have missed it."""
        self._let_go(job)
        if self._endings.of(job.request) is not None:
            self._sweep.ask()

    # Connectors that change, and wishes to cancel.

    def _end_ahead(self, job: Job) -> None:
        """A request that was taken from its retry topic ahead of its turn is to end."""
        self._ahead[job.position.offset] = job
        unfinished = self._takeover.ledger.unfinished(job.position.offset)
        self._go_on(job, unfinished or Unfinished(), None)

    def _follow(self, source: Source, job: Job) -> None:
        """The record of a request that was taken ahead of its turn is passed when that has ended: so none is lost."""
        if job.source is None:
            job.source = source
        else:
            self._records.let_pass(source)

    def _restore_breakers(self, throttles: Throttles) -> None:
        """Those of connectors that have not changed since."""
        for opened in self._takeover.ledger.opened_breakers.values():
            if self._takeover.connectors.knows(opened.connector_id, opened.connector_version):
                throttles.restore(opened)

    def _connector_changed(self, connector_id: str) -> None:
        self._lanes.changed(connector_id)
        self._endings.suspect([connector_id])

    def _end_what_is_over(self) -> None:
        self._lanes.end(self._endings.of)
        self._postponement.end(self._endings.of)
        self._sweep.ask()

    # Upkeep and the end.

    async def _drain(self) -> None:
        """Let what is in flight come to its end, for a while; what is cut off then is in doubt for the next owner."""
        self._lanes.close()
        self._postponement.close()
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=self._grace)
        for task in list(self._in_flight):
            task.cancel()
        await self._journal.flushed()
        self._postponement.close()

    async def _keep_up(self) -> NoReturn:
        while True:
            await asyncio.sleep(UPKEEP_SECONDS)
            self._lanes.relieve(is_tight=self._records.is_tight)
            await self._records.commit()


def _trace_id(record: Record) -> str | None:
    traceparent = read_traceparent(record.headers)
    return trace_id_of(traceparent) if traceparent else None
