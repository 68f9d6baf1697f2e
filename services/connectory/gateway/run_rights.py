"""Whether a caller may run certain connectors: some types take a privilege of their own, so the types are looked up.

Only for callers who lack such a privilege: the others may run whatever there is. A connector that cannot be resolved in
the space of the call is for the executor to miss.
"""

from collections.abc import Collection
from dataclasses import dataclass

from connectory.connector_types.registry import TypeRegistry
from connectory.domain.errors import Refused
from connectory.domain.in_memory_connectors import NO_IN_MEMORY_CONNECTORS, InMemoryConnectors
from connectory.gateway import authorization
from connectory.gateway.authorization import Operation
from connectory.gateway.read_models import ConnectorViews
from connectory.gateway.routing import Call


@dataclass(frozen=True, slots=True)
class RunRights:
    types: TypeRegistry
    views: ConnectorViews
    in_memory: InMemoryConnectors = NO_IN_MEMORY_CONNECTORS

    async def require(self, call: Call, connector_id: str) -> None:
        """Raise `Rejected` (403), which names the type where the connector can be resolved."""
        if call.may(authorization.EXECUTE_ANY_TYPE):
            call.require(authorization.EXECUTE_ACTIONS)
            return
        found = self.in_memory.get(connector_id) or await self.views.get(call.space_id, connector_id)
        call.require(self._running(found.connector_type_id) if found else authorization.EXECUTE_ACTIONS)

    async def require_each(
        self, call: Call, connector_ids: Collection[str], operation: Operation = authorization.EXECUTE_ACTIONS
    ) -> None:
        """Raise `Rejected` (403) unless the caller may do the operation, and run every one of the connectors."""
        call.require(operation)
        if call.may(authorization.EXECUTE_ANY_TYPE):
            return
        in_memory = {each.connector_type_id for each in map(self.in_memory.get, connector_ids) if each}
        views = await self.views.with_ids({each for each in connector_ids if each not in self.in_memory})
        saved = {view.connector_type_id for view in views if view.space_id == call.space_id}
        for type_id in sorted(in_memory | saved):
            call.require(self._running(type_id))

    def _running(self, type_id: str) -> Operation:
        return authorization.execute_action(type_id, self._sub_feature(type_id))

    def _sub_feature(self, type_id: str) -> str | None:
        try:
            return self.types.get(type_id).sub_feature
        except Refused:
            return None
