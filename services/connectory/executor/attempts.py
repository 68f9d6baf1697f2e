"""Carrying out one request: find its connector, check that it may run, run it, and record what became of it."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pydantic import BaseModel

from connectory.connector_types.contract import Egress, ServerLog
from connectory.connector_types.registry import TypeRegistry
from connectory.domain import outcomes
from connectory.domain.errors import ConnectoryError, MessageTooLarge, Refused, Undecodable, Unencodable
from connectory.domain.execution import (
    ActionRequest,
    Delivery,
    ErrorSource,
    Failed,
    Outcome,
    RequestPosition,
    Result,
    Succeeded,
    iso_millis,
)
from connectory.domain.outcomes import Attempt, ConnectorLabel
from connectory.domain.replies import RequestCompleted
from connectory.executor.connectors import PartitionConnectors, ReadyConnector, label_of
from connectory.executor.journal import OutcomeJournal
from connectory.infra.clock import Clock
from connectory.infra.crypto import Redactor, SecretsVault
from connectory.infra.log import Message
from connectory.infra.messages import Messages
from connectory.infra.topics import REPLIES

log = logging.getLogger(__name__)

USER_ERRORS = {"connector-not-found", "params-invalid", "expired", "connector-version-mismatch", "type-disabled"}
"""Codes of refusals that the user can mend; all others are Connectory's own."""


@dataclass(frozen=True, slots=True)
class Job:
    """A request that is to be run.

    `done` is to be called when the broker has its final outcome. `attempts` counts those made before, by executors that
    stopped; `in_doubt` are the ones of which nobody knows the end yet. With `refusal` it is not run.
    """

    request: ActionRequest
    position: RequestPosition
    done: Callable[[], None]
    trace_id: str | None = None
    in_doubt: tuple[Outcome, ...] = ()
    attempts: int = 0
    refusal: ConnectoryError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What an attempt needs from outside."""

    messages: Messages
    registry: TypeRegistry
    vault: SecretsVault
    egress: Egress
    server_log: ServerLog
    clock: Clock
    new_id: Callable[[], str]
    run_timeout: timedelta


class Attempts:
    """Runs the requests of one partition, one call each."""

    def __init__(self, world: World, connectors: PartitionConnectors, journal: OutcomeJournal) -> None:
        self._world = world
        self._connectors = connectors
        self._journal = journal

    async def carry_out(self, job: Job) -> None:
        """Bring the request to its final outcome."""
        if job.in_doubt and job.request.delivery is Delivery.AT_MOST_ONCE:
            self._leave_in_doubt(job)
            return
        self._mark(job.in_doubt)
        if job.refusal is not None:
            self._refuse(job, job.refusal)
            return
        try:
            ready = await self._ready_connector(job.request)
            params = self._world.registry.parse_params(ready.prepared, job.request.params)
        except ConnectoryError as refusal:
            self._refuse(job, refusal)
        except Exception as error:
            # A request that breaks a type's checks ends with an outcome: it would break the partition on every restart.
            log.exception("request %s could not be prepared", job.request.request_id)
            self._refuse(job, ConnectoryError(f"internal error: {type(error).__name__}"))
        else:
            await self._run(self._attempt(job, ready.label), ready, params, job.done)

    def _attempt(self, job: Job, connector: ConnectorLabel | None) -> Attempt:
        return Attempt(
            request=job.request,
            position=job.position,
            execution_id=self._world.new_id(),
            number=job.attempts + 1,
            possible_duplicate=job.attempts > 0,
            trace_id=job.trace_id,
            connector=connector,
        )

    def _mark(self, in_doubt: Sequence[Outcome]) -> None:
        """Each attempt before this one may have reached the target: close and mark it."""
        for begun in in_doubt:
            self._journal.record(outcomes.in_doubt(begun, self._world.clock(), final=False))

    def _leave_in_doubt(self, job: Job) -> None:
        """At most once: the request ends here, with an outcome that nobody knows."""
        self._mark(job.in_doubt[:-1])
        outcome = outcomes.in_doubt(job.in_doubt[-1], self._world.clock(), final=True)
        failure = Failed(message=outcome.error or "", reason="in-doubt", error_source=ErrorSource.FRAMEWORK)
        self._reply(job.request, outcome.execution_id, failure)
        self._journal.record(outcome, job.done)

    async def _ready_connector(self, request: ActionRequest) -> ReadyConnector:
        """The connector, fit to run this request; raises what stands in the way.

        Whoever waits for an answer must see own changes, so a direct request first reads the partition's connectors to
        their end. So does one whose connector or version is not known here, before it is said not to exist.
        """
        if request.is_direct or not self._connectors.knows(request.connector_id, request.connector_version):
            await self._connectors.catch_up()
        ready = self._connectors.ready(request.connector_id)
        if ready.space_id != request.space_id:
            raise Refused.not_found(request.connector_id)
        self._require_wanted(request, ready.label.version)
        return ready

    def _require_wanted(self, request: ActionRequest, version: int) -> None:
        if request.expires_at is not None and self._world.clock() >= request.expires_at:
            raise Refused("expired", f"the request was to run before {iso_millis(request.expires_at)}")
        if request.connector_version not in (None, version):
            text = f"the request is for version {request.connector_version} of the connector, which is at {version}"
            raise Refused("connector-version-mismatch", text)

    def _label(self, request: ActionRequest) -> ConnectorLabel | None:
        """What a refusal may say about the connector: nothing about one of another space, or one that is garbage."""
        try:
            active = self._connectors.find(request.connector_id)
        except Undecodable:
            return None
        return label_of(active) if active is not None and active.space_id == request.space_id else None

    def _refuse(self, job: Job, refusal: ConnectoryError) -> None:
        attempt = self._attempt(job, self._label(job.request))
        source = ErrorSource.USER if refusal.code in USER_ERRORS else ErrorSource.FRAMEWORK
        failure = Failed(message=refusal.message, retry=False, error_source=source, reason=refusal.code)
        self._reply(job.request, attempt.execution_id, failure)
        self._journal.record(outcomes.refuse(attempt, self._world.clock(), failure), job.done)

    async def _run(self, attempt: Attempt, ready: ReadyConnector, params: BaseModel, done: Callable[[], None]) -> None:
        world, request = self._world, attempt.request
        started_at = world.clock()
        # Written ahead of the call, and waited for: a call that a crash cuts off is known to have begun, and whatever
        # is done about it is marked.
        await self._journal.recorded(outcomes.start(attempt, started_at))
        try:
            async with asyncio.timeout(world.run_timeout.total_seconds()):
                result = await world.registry.execute(
                    ready.prepared,
                    params,
                    connector_id=request.connector_id,
                    idempotency_key=request.request_id,
                    egress=world.egress,
                    server_log=world.server_log,
                    now=world.clock,
                )
        except TimeoutError:
            self._time_out(attempt, started_at, done)
            return
        if request.is_direct or isinstance(result, Failed):  # of a success, outcomes keep no text of the target
            result = redacted(result, ready.redactor)
        self._reply(request, attempt.execution_id, result)
        self._journal.record(outcomes.finish(attempt, started_at, world.clock(), result), done)

    def _time_out(self, attempt: Attempt, started_at: datetime, done: Callable[[], None]) -> None:
        outcome = outcomes.time_out(attempt, started_at, self._world.clock(), self._world.run_timeout)
        failure = Failed(message=outcome.message, error_source=ErrorSource.FRAMEWORK, reason="run-timeout")
        self._reply(attempt.request, attempt.execution_id, failure)
        self._journal.record(outcome, done)

    def _reply(self, request: ActionRequest, execution_id: str, result: Result) -> None:
        if request.reply_partition is None:
            return
        try:
            self._journal.write(self._reply_message(request, execution_id, result))
        except (MessageTooLarge, Unencodable) as error:
            failure = Failed(message=error.message, error_source=ErrorSource.FRAMEWORK, reason=error.code)
            self._journal.write(self._reply_message(request, execution_id, failure))

    def _reply_message(self, request: ActionRequest, execution_id: str, result: Result) -> Message:
        now = self._world.clock()
        reply = RequestCompleted(
            request_id=request.request_id,
            connector_id=request.connector_id,
            execution_id=execution_id,
            at=now,
            result=result,
        )
        partition = request.reply_partition
        return self._world.messages.message(REPLIES, request.request_id, reply, at=now, partition=partition)


def redacted(result: Result, redactor: Redactor) -> Result:
    """The result without any configured secret value in its texts and data."""
    match result:
        case Succeeded():
            return replace(result, data=redactor.redact_json(result.data))
        case Failed():
            service_message = result.service_message
            return replace(
                result,
                message=redactor.redact(result.message),
                service_message=service_message and redactor.redact(service_message),
            )
