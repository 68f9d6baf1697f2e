"""What follows an attempt: the final outcome, another attempt, a dead letter, an answer to whoever waits."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol

from connectory.domain import outcomes
from connectory.domain.cancellation import CANCELLED, RequestCancelled
from connectory.domain.errors import ConnectoryError, MessageTooLarge, RateLimited, Unencodable
from connectory.domain.execution import ActionRequest, Delivery, ErrorSource, Failed, Outcome, Result
from connectory.domain.outcomes import Attempt
from connectory.domain.replies import RequestCompleted
from connectory.domain.retry import RetryPolicy, is_retryable, retry_at
from connectory.executor import dead_letters
from connectory.executor.jobs import Job
from connectory.executor.journal import OutcomeJournal
from connectory.executor.policies import RunPolicy
from connectory.executor.statistics import BROKEN, Statistics
from connectory.executor.throttle import Throttles
from connectory.infra.clock import Clock
from connectory.infra.log import Message
from connectory.infra.messages import Messages
from connectory.infra.topics import REPLIES

MOST_ATTEMPTS = 10
UNAUTHORIZED = "unauthorized"
CONNECTOR_GONE = frozenset({"connector-not-found", "connector-disabled"})

FINAL_REFUSALS = frozenset(
    {*CONNECTOR_GONE, CANCELLED, "expired", "too-old", "connector-version-mismatch", "type-disabled"}
    | {"type-not-registered", "message-too-large", "secrets-missing", UNAUTHORIZED}
)
"""Codes of refusals that stay. All others may go well later: somebody may mend the connector, or the key."""

USER_ERRORS = frozenset({*CONNECTOR_GONE, CANCELLED, "params-invalid", "expired", "too-old"}) | {
    "connector-version-mismatch",
    "type-disabled",
    "secrets-missing",
    UNAUTHORIZED,
    RateLimited.code,
}
"""Codes of refusals that the user can mend; all others are Connectory's own."""


class Holds(Protocol):
    """What a settled job does to the partition that holds it."""

    def finished(self, job: Job) -> None:
        """Its final outcome is acknowledged."""
        ...

    def try_again(self, job: Job, due: datetime) -> None:
        """The decision to try it again at `due` is acknowledged."""
        ...


class Settlement:
    """`policy_of` tells how the requests through a connector are run."""

    def __init__(
        self,
        messages: Messages,
        clock: Clock,
        journal: OutcomeJournal,
        retry: RetryPolicy,
        policy_of: Callable[[str], RunPolicy],
        throttles: Throttles,
        holds: Holds,
        statistics: Statistics,
    ) -> None:
        self._messages = messages
        self._clock = clock
        self._journal = journal
        self._retry = retry
        self._policy_of = policy_of
        self._throttles = throttles
        self._holds = holds
        self._statistics = statistics

    def ended(self, job: Job, attempt: Attempt, started_at: datetime, result: Result) -> None:
        """The attempt has come to a result."""
        at = self._clock()
        due = self._retry_at(job, attempt, result, at) if isinstance(result, Failed) else None
        probe = job.is_probe
        self._conclude(job, outcomes.finish(attempt, started_at, at, result, due), result)
        self._count(attempt, started_at, at, result, due)
        self._tell_breaker(attempt, result, probe=probe)

    def timed_out(self, job: Job, attempt: Attempt, started_at: datetime, failure: Failed) -> None:
        """The attempt was cut off at its time limit."""
        at = self._clock()
        due = self._retry_at(job, attempt, failure, at)
        probe = job.is_probe
        self._conclude(job, outcomes.time_out(attempt, started_at, at, failure, due), failure)
        self._count(attempt, started_at, at, failure, due)
        self._tell_breaker(attempt, failure, probe=probe)

    def refused(self, job: Job, attempt: Attempt, refusal: ConnectoryError, cancelled_for: int | None = None) -> None:
        """The request cannot be run as things are. `cancelled_for` is where somebody waits to hear of it."""
        at = self._clock()
        failure = _refusal(refusal, is_queued=not job.request.is_direct)
        if job.is_probe:
            self._throttles.forget_probe(job.request.connector_id)
        if refusal.code == CANCELLED or (refusal.code in CONNECTOR_GONE and job.has_waited):
            self._conclude(job, outcomes.cancel(attempt, at, failure), failure, cancelled_for)
        else:
            due = self._retry_at(job, attempt, failure, at)
            self._conclude(job, outcomes.refuse(attempt, at, failure, due), failure)
            if failure.reason in BROKEN:
                self._count(attempt, at, at, failure, due)

    def ends_in_doubt(self, job: Job, begun: Sequence[Outcome]) -> bool:
        """Close and mark the attempts that a former owner began: each may have reached the target.

        At once, and not when it can be run again: what waits for that on a retry topic has its own marks only. True
        when the request ends here, with an outcome that nobody knows: at most once.
        """
        is_over = job.request.delivery is Delivery.AT_MOST_ONCE
        *others, last = begun
        for each in others if is_over else begun:
            self._journal.record(outcomes.in_doubt(each, self._clock(), final=False))
        job.possible_duplicate = True
        if is_over:
            outcome = outcomes.in_doubt(last, self._clock(), final=True)
            failure = Failed(message=outcome.error or "", reason="in-doubt", error_source=ErrorSource.FRAMEWORK)
            self._conclude(job, outcome, failure)
        return is_over

    def _retry_at(self, job: Job, attempt: Attempt, failure: Failed, at: datetime) -> datetime | None:
        if job.request.is_direct:
            return None
        asked = job.request.max_attempts
        most = self._policy_of(job.request.connector_id).max_attempts if asked is None else asked
        most = min(max(most, 1), MOST_ATTEMPTS)
        return retry_at(failure, job.request, attempt=attempt.number, max_attempts=most, at=at, policy=self._retry)

    def _count(
        self, attempt: Attempt, started_at: datetime, at: datetime, result: Result, due: datetime | None
    ) -> None:
        if attempt.connector is not None:
            seconds = (at - started_at).total_seconds()
            self._statistics.ended(attempt.connector.type_id, seconds, result, due)

    def _tell_breaker(self, attempt: Attempt, result: Result, *, probe: bool) -> None:
        failed = isinstance(result, Failed) and is_retryable(result)
        transition = self._throttles.record(attempt.request.connector_id, failed=failed, probe=probe)
        if transition is not None:
            self._journal.record(outcomes.turn_breaker(attempt, self._clock(), transition))

    def _conclude(self, job: Job, outcome: Outcome, result: Result, cancelled_for: int | None = None) -> None:
        """The outcome goes first: what follows from it is done when the broker has it."""
        if not outcome.final:
            self._schedule(job, outcome)
            return
        if job.request.reply_partition is not None:
            self._reply(job.request, outcome.execution_id, result)
        finished = partial(self._holds.finished, job)
        if cancelled_for is not None:
            finished = partial(self._finished, job, cancelled_for)
        if dead_letters.is_kept(job.request, outcome):
            # A successor that finds the outcome writes the letter again: it stands twice rather than not at all.
            letter = dead_letters.letter_of(self._messages, job.request, outcome)
            self._journal.record(outcome, partial(self._journal.write, letter, finished))
        else:
            self._journal.record(outcome, finished)

    def _schedule(self, job: Job, ended: Outcome) -> None:
        due = ended.retry_at or ended.at
        job.attempts, job.deferrals, job.is_probe = ended.attempt, 0, False
        self._journal.record(ended)
        self._journal.record(outcomes.schedule_retry(ended, ended.at), partial(self._holds.try_again, job, due))

    def _finished(self, job: Job, cancelled_for: int) -> None:
        request, now = job.request, self._clock()
        answer = RequestCancelled(request_id=request.request_id, connector_id=request.connector_id, at=now)
        self._journal.write(
            self._messages.message(REPLIES, request.request_id, answer, at=now, partition=cancelled_for)
        )
        self._holds.finished(job)

    def _reply(self, request: ActionRequest, execution_id: str, result: Result) -> None:
        try:
            self._journal.write(self._reply_message(request, execution_id, result))
        except (MessageTooLarge, Unencodable) as error:
            failure = Failed(message=error.message, error_source=ErrorSource.FRAMEWORK, reason=error.code)
            self._journal.write(self._reply_message(request, execution_id, failure))

    def _reply_message(self, request: ActionRequest, execution_id: str, result: Result) -> Message:
        now = self._clock()
        reply = RequestCompleted(
            request_id=request.request_id,
            connector_id=request.connector_id,
            execution_id=execution_id,
            at=now,
            result=result,
        )
        partition = request.reply_partition
        return self._messages.message(REPLIES, request.request_id, reply, at=now, partition=partition)


def _refusal(refusal: ConnectoryError, *, is_queued: bool) -> Failed:
    """The result of a request that could not be run. Whoever waits for it may try again himself."""
    return Failed(
        message=refusal.message,
        retry=_retry_of(refusal, is_queued=is_queued),
        error_source=ErrorSource.USER if refusal.code in USER_ERRORS else ErrorSource.FRAMEWORK,
        reason=refusal.code,
        undelivered=True,
    )


def _retry_of(refusal: ConnectoryError, *, is_queued: bool) -> bool | datetime:
    if isinstance(refusal, RateLimited):
        return refusal.until
    return is_queued and refusal.code not in FINAL_REFUSALS
