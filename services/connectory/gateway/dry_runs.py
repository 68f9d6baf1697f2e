"""Dry runs: what an action would send through a connector, with nothing sent and no secret shown."""

from dataclasses import dataclass

from connectory.connector_types.registry import Prepared, TypeRegistry
from connectory.domain.connector import Active
from connectory.domain.errors import Refused
from connectory.domain.execution import ActionRequest
from connectory.domain.in_memory_connectors import UNVERSIONED, InMemoryConnector, InMemoryConnectors
from connectory.domain.json_types import JsonObject
from connectory.domain.outcomes import ConnectorLabel
from connectory.gateway.origin import NewId, Origin
from connectory.gateway.sealed_connectors import SealedConnectors
from connectory.infra.clock import Clock
from connectory.infra.crypto import Redactor, redacting
from connectory.replay import Rehearsal, Rehearsed


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRuns:
    types: TypeRegistry
    connectors: SealedConnectors
    in_memory: InMemoryConnectors
    clock: Clock
    new_id: NewId

    async def run(
        self, connector_id: str, params: JsonObject, variables: JsonObject | None, origin: Origin
    ) -> Rehearsed:
        """Rehearse the action, its params rendered with the variables if there are any.

        Raises `Refused` when the connector is not in the space, and `Unavailable`; what would keep the action from
        being sent is an answer.
        """
        self.in_memory.require_executable(connector_id)
        found = await self._find(connector_id, origin.space_id)
        if variables is not None:
            try:
                params = self.types.render_params(
                    found.connector_type_id, params, variables, connector_id=connector_id, now=self.clock()
                )
            except Refused as refusal:
                if refusal.code != "params-invalid":
                    raise
                return Rehearsed(refusal=refusal.message)
        request = ActionRequest(
            request_id=self.new_id(),
            space_id=origin.space_id,
            connector_id=connector_id,
            params=params,
            requested_at=self.clock(),
            requested_by=origin.by,
            source="http_request",
        )
        return await self._rehearsal(found).rehearse(request, request.request_id)

    async def _find(self, connector_id: str, space_id: str) -> Active | InMemoryConnector:
        in_memory = self.in_memory.get(connector_id)
        if in_memory is not None:
            return in_memory
        active = await self.connectors.find(connector_id)
        if active is None or active.space_id != space_id:
            raise Refused.not_found(connector_id)
        return active

    def _rehearsal(self, found: Active | InMemoryConnector) -> Rehearsal:
        async def the_one(_partition: int) -> _TheOne:
            return _TheOne(self, found)

        return Rehearsal(registry=self.types, connectors_of=the_one, partitions=1, clock=self.clock)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """`space_id` None: it is in every space."""

    space_id: str | None
    enabled: bool
    label: ConnectorLabel
    prepared: Prepared
    redactor: Redactor
    is_missing_secrets: bool

    def is_in(self, space_id: str) -> bool:
        return self.space_id in (None, space_id)


@dataclass(frozen=True, slots=True)
class _TheOne:
    """All connectors there are, as far as a rehearsal is concerned."""

    runs: DryRuns
    found: Active | InMemoryConnector

    def ready(self, connector_id: str) -> _Ready:
        """Raises `Refused` when its type or config does not let it run, and `SecretsUnreadable`."""
        if connector_id != self.found.connector_id:
            raise Refused.not_found(connector_id)
        if isinstance(self.found, InMemoryConnector):
            return self._in_memory(self.found)
        return self._saved(self.found)

    def _saved(self, active: Active) -> _Ready:
        type_id, version = active.connector_type_id, active.version
        secrets = self.runs.connectors.vault.open(active.connector_id, active.secrets)
        with redacting(secrets) as redactor:
            prepared = self.runs.types.prepare(type_id, active.config, secrets)
        return _Ready(
            space_id=active.space_id,
            enabled=active.enabled,
            label=ConnectorLabel(name=active.name, type_id=type_id, version=version),
            prepared=prepared,
            redactor=redactor,
            is_missing_secrets=active.is_missing_secrets,
        )

    def _in_memory(self, connector: InMemoryConnector) -> _Ready:
        type_id = connector.connector_type_id
        with redacting(connector.secrets) as redactor:
            prepared = self.runs.types.prepare_in_memory(type_id, connector.config, connector.secrets)
        return _Ready(
            space_id=None,
            enabled=True,
            label=ConnectorLabel(name=connector.name, type_id=type_id, version=UNVERSIONED),
            prepared=prepared,
            redactor=redactor,
            is_missing_secrets=False,
        )
