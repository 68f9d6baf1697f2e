"""Where requests wait that are to go on at a certain time: for a few seconds in memory, for longer on a retry topic."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

from connectory.domain.errors import MessageTooLarge
from connectory.executor.jobs import Ending, Job
from connectory.executor.journal import OutcomeJournal
from connectory.executor.waiting import SHORTEST, Waiting, retry_topic
from connectory.infra.clock import Clock
from connectory.infra.messages import Messages


class Postponement:
    """`resume` is called with a job whose time has come, `moved` with one that is safe on a retry topic.

    A job on its way here is seen by nobody who looks for what has to end: so it is looked at when it arrives.
    """

    def __init__(
        self,
        messages: Messages,
        clock: Clock,
        journal: OutcomeJournal,
        waiting: Waiting,
        *,
        ending: Ending,
        resume: Callable[[Job], None],
        moved: Callable[[Job], None],
    ) -> None:
        self._messages = messages
        self._clock = clock
        self._journal = journal
        self._waiting = waiting
        self._ending = ending
        self._resume = resume
        self._moved = moved
        self._timers: dict[int, tuple[asyncio.TimerHandle, Job]] = {}

    def until(self, job: Job, due: datetime) -> None:
        if not job.deferrals:
            job.due_at = due
        wait = due - self._clock()
        job.refusal = job.refusal or self._ending(job.request)
        if job.refusal is not None or wait <= timedelta(0):
            self._resume(job)
        elif wait < SHORTEST:
            self._wait_here(job, wait)
        else:
            self._move(job, due, wait)

    def end(self, ending: Ending) -> None:
        """Resume at once those that wait in memory and are to end without being run."""
        for timer, job in list(self._timers.values()):
            refusal = ending(job.request)
            if refusal is not None:
                timer.cancel()
                job.refusal = refusal
                self._go_on(job)

    def due_times(self) -> Iterator[datetime]:
        """Of those that wait in memory."""
        now, loop_now = self._clock(), asyncio.get_running_loop().time()
        for timer, _ in self._timers.values():
            yield now + timedelta(seconds=timer.when() - loop_now)

    def close(self) -> None:
        """Resume nothing more: whoever takes over the partition finds what waits here in the ledger."""
        for timer, _ in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _wait_here(self, job: Job, wait: timedelta) -> None:
        timer = asyncio.get_running_loop().call_later(max(0.0, wait.total_seconds()), self._go_on, job)
        self._timers[job.position.offset] = timer, job

    def _go_on(self, job: Job) -> None:
        del self._timers[job.position.offset]
        self._resume(job)

    def _move(self, job: Job, due: datetime, wait: timedelta) -> None:
        job.step += 1
        waiting = job.waiting(due)
        home, connector_id = job.position.partition, job.request.connector_id
        message = self._messages.message(retry_topic(wait), connector_id, waiting, at=self._clock(), partition=home)
        try:
            self._journal.write(message, partial(self._moved, job))
        except MessageTooLarge:  # what it needs on top of the request leaves no room for it: it keeps its place here
            self._wait_here(job, wait)
        else:
            self._waiting.put(waiting)
