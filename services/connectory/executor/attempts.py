"""Carrying out one request: find its connector, check that it may run, and run it. What follows is for `settlement`."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from pydantic import BaseModel

from connectory.connector_types.contract import Surroundings
from connectory.connector_types.registry import TypeRegistry
from connectory.domain import outcomes
from connectory.domain.cancellation import CANCELLED
from connectory.domain.errors import ConnectoryError, RateLimited, Refused, SecretsUnreadable
from connectory.domain.execution import ActionRequest, Failed, Result, Succeeded
from connectory.domain.in_memory_connectors import NO_IN_MEMORY_CONNECTORS, InMemoryConnectors
from connectory.domain.outcomes import Attempt, ConnectorLabel
from connectory.domain.time_bounds import expired
from connectory.executor.cancellations import Cancellations
from connectory.executor.connectors import PartitionConnectors, ReadyConnector, disabled
from connectory.executor.jobs import Job
from connectory.executor.journal import OutcomeJournal
from connectory.executor.settlement import UNAUTHORIZED, Settlement
from connectory.executor.statistics import Statistics
from connectory.infra.clock import Clock
from connectory.infra.crypto import Redactor, SecretsVault
from connectory.infra.deadlines import Deadlines
from connectory.infra.messages import Messages

UNFIT: Final = frozenset({"config-invalid", "secrets-invalid", "connector-invalid"})
"""Why a connector that is there cannot be run by its type."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What an attempt needs from outside."""

    messages: Messages
    registry: TypeRegistry
    vault: SecretsVault
    surroundings: Surroundings
    clock: Clock
    new_id: Callable[[], str]
    run_timeout: timedelta
    in_memory: InMemoryConnectors = NO_IN_MEMORY_CONNECTORS


class Attempts:
    """Makes the attempts at the requests of one partition, one call each."""

    def __init__(
        self,
        world: World,
        connectors: PartitionConnectors,
        cancellations: Cancellations,
        journal: OutcomeJournal,
        settlement: Settlement,
        statistics: Statistics,
    ) -> None:
        self._world = world
        self._connectors = connectors
        self._cancellations = cancellations
        self._journal = journal
        self._settlement = settlement
        self._statistics = statistics
        self._deadlines = Deadlines()

    async def carry_out(self, job: Job) -> None:
        """Make the next attempt at the request, or bring it to its end without one."""
        try:
            self._require_wanted(job)
            ready = await self._ready_connector(job.request)
            params = self._world.registry.parse_params(ready.prepared.type, job.request.params)
            _require_allowed(ready, params, job.request)
            self._require_room(job.request)
        except ConnectoryError as refusal:
            self._refuse(job, refusal)
        except Exception as error:
            # A request that breaks a type's checks ends with an outcome: it would break the partition on every restart.
            log.exception("request %s could not be prepared", job.request.request_id)
            self._refuse(job, ConnectoryError(f"internal error: {type(error).__name__}"))
        else:
            await self._run(job, self.next_attempt(job, ready.label), ready, params)

    def next_attempt(self, job: Job, connector: ConnectorLabel | None) -> Attempt:
        return self.attempt(job, connector, job.attempts + 1)

    def attempt(self, job: Job, connector: ConnectorLabel | None, number: int) -> Attempt:
        return Attempt(
            request=job.request,
            position=job.position,
            execution_id=self._world.new_id(),
            number=number,
            possible_duplicate=job.possible_duplicate,
            trace_id=job.trace_id,
            connector=connector,
            scheduled_at=job.scheduled_at,
        )

    def label(self, request: ActionRequest) -> ConnectorLabel | None:
        return self._connectors.label(request.connector_id, request.space_id)

    def _require_wanted(self, job: Job) -> None:
        request = job.request
        if job.refusal is not None:
            raise job.refusal
        cancelled = self._cancellations.ending(request)
        if cancelled is not None:
            raise cancelled
        too_late = expired(request, self._world.clock())
        if too_late is not None:
            raise too_late

    async def _ready_connector(self, request: ActionRequest) -> ReadyConnector:
        """The connector, fit to run this request; raises what stands in the way.

        Whoever waits for an answer must see own changes, so a direct request first reads the partition's connectors to
        their end. Every other one does so before it is refused: the connector may have been created, or mended, just
        before the request was published.
        """
        if not request.is_direct:
            try:
                return self._fit(request)
            except ConnectoryError:
                pass
        await self._connectors.catch_up()
        try:
            return self._fit(request)
        except Refused as refusal:
            if refusal.code in UNFIT:
                self._require_valid_params(request)
            raise

    def _require_valid_params(self, request: ActionRequest) -> None:
        """Params that do not fit come before a connector that does not."""
        registry, type_id = self._world.registry, self._connectors.type_of(request.connector_id)
        if type_id is not None:
            registry.parse_params(registry.get(type_id), request.params)

    def _fit(self, request: ActionRequest) -> ReadyConnector:
        try:
            ready = self._connectors.ready(request.connector_id)
        except (Refused, SecretsUnreadable):
            self._require_whole(request)
            raise
        if not ready.is_in(request.space_id):
            raise Refused.not_found(request.connector_id)
        if not ready.enabled:
            raise disabled(request.connector_id)
        if ready.is_missing_secrets:
            # The type may take it that there are none, and then the target would be called without its login.
            raise Refused.secrets_undefined() if request.is_direct else Refused.secrets_missing(ready.label.name)
        if request.connector_version not in (None, ready.label.version):
            wanted, current = request.connector_version, ready.label.version
            text = f"the request is for version {wanted} of the connector, which is at {current}"
            raise Refused("connector-version-mismatch", text)
        return ready

    def _require_whole(self, request: ActionRequest) -> None:
        """What is wrong with a connector of another space is nobody's business, and what it lacks comes before that.

        Whoever waits for an answer is told what its type says about the lack.
        """
        if self._connectors.is_in_memory(request.connector_id):
            return
        active = self._connectors.find(request.connector_id)
        if active is None or active.space_id != request.space_id:
            raise Refused.not_found(request.connector_id)
        if active.is_missing_secrets and not request.is_direct:
            raise Refused.secrets_missing(active.name)

    def _require_room(self, request: ActionRequest) -> None:
        """A direct run does not stand in line, so the limit on its type is asked here."""
        window = self._connectors.policy(request.connector_id).window if request.is_direct else None
        if window is None:
            return
        now = self._world.clock()
        room_at = window.room_at(now)
        if room_at is not None:
            raise RateLimited(window.described, room_at)
        window.log(now)

    def _refuse(self, job: Job, refusal: ConnectoryError) -> None:
        attempt = self.next_attempt(job, self.label(job.request))
        waits = self._cancellations.met(job.request) if refusal.code == CANCELLED else None
        self._settlement.refused(job, attempt, refusal, waits)

    async def _run(self, job: Job, attempt: Attempt, ready: ReadyConnector, params: BaseModel) -> None:
        world, request = self._world, job.request
        started_at = world.clock()
        self._statistics.started(attempt.scheduled_at, started_at)
        # Written ahead of the call, and waited for: a call that a crash cuts off is known to have begun, and whatever
        # is done about it is marked.
        await self._journal.recorded(outcomes.start(attempt, started_at))
        try:
            with self._deadlines.limit(world.run_timeout.total_seconds()):
                result = await world.registry.execute(
                    ready.prepared,
                    params,
                    connector_id=request.connector_id,
                    connector_name=ready.label.name,
                    idempotency_key=request.request_id,
                    source=request.source,
                    surroundings=world.surroundings,
                )
        except TimeoutError:
            self._settlement.timed_out(job, attempt, started_at, outcomes.timed_out(attempt, world.run_timeout))
            return
        if request.is_direct or isinstance(result, Failed):  # of a success, outcomes keep no text of the target
            result = redacted(result, ready.redactor)
        self._settlement.ended(job, attempt, started_at, result)


def _require_allowed(ready: ReadyConnector, params: BaseModel, request: ActionRequest) -> None:
    connector_type = ready.prepared.type
    if connector_type.may_run is not None and not connector_type.may_run(params, request):
        raise Refused(UNAUTHORIZED, f'Unauthorized to execute a "{connector_type.id}" action')


def redacted(result: Result, redactor: Redactor) -> Result:
    """The result without any configured secret value in its texts and data."""
    match result:
        case Succeeded():
            try:
                return replace(result, data=redactor.redact_json(result.data))
            except RecursionError:
                return Failed.nested_too_deeply()
        case Failed():
            service_message = result.service_message
            return replace(
                result,
                message=redactor.redact(result.message),
                service_message=service_message and redactor.redact(service_message),
            )
