"""Whether requests through a connector run, and how: switch it off and on, limit it, see how it stands."""

from dataclasses import asdict, dataclass

from aiohttp import web

from connectory.domain.connector import Active
from connectory.domain.delivery import DeliveryPolicy
from connectory.domain.errors import Refused
from connectory.domain.in_memory_connectors import UNVERSIONED, InMemoryConnector, InMemoryConnectors
from connectory.gateway import authorization
from connectory.gateway.changes import ConnectorChanges
from connectory.gateway.contracts import connector_delivery
from connectory.gateway.outgoing import answer
from connectory.gateway.read_models import ConnectorViews
from connectory.gateway.routing import Call, Route
from connectory.gateway.schemas import DeliveryPolicyBody, Nothing
from connectory.gateway.validation import check
from connectory_projections.connectors_by_space import ConnectorView


@dataclass(frozen=True, slots=True)
class ConnectorDeliveryRoutes:
    changes: ConnectorChanges
    views: ConnectorViews
    in_memory: InMemoryConnectors

    def table(self) -> tuple[Route, ...]:
        one = "/api/connectory/connector/{id:[^/]+}"
        return (
            Route("GET", one, self.get, contract=connector_delivery.GET),
            Route("POST", one + "/_enable", self.enable, contract=connector_delivery.ENABLE),
            Route("POST", one + "/_disable", self.disable, contract=connector_delivery.DISABLE),
            Route("GET", one + "/delivery_policy", self.get_policy, contract=connector_delivery.GET_POLICY),
            Route("PUT", one + "/delivery_policy", self.set_policy, contract=connector_delivery.SET_POLICY),
        )

    async def get(self, call: Call) -> web.Response:
        call.require(authorization.GET_ACTIONS)
        in_memory = self.in_memory.visible(call.path("id"))
        view = in_memory or await self._view(call)
        return answer(
            {
                "id": view.connector_id,
                "name": view.name,
                "connector_type_id": view.connector_type_id,
                "enabled": view.enabled,
                "version": UNVERSIONED if isinstance(view, InMemoryConnector) else view.version,
                "delivery_policy": asdict(view.delivery_policy),
            }
        )

    async def enable(self, call: Call) -> web.Response:
        return await self._switch(call, enabled=True)

    async def disable(self, call: Call) -> web.Response:
        return await self._switch(call, enabled=False)

    async def get_policy(self, call: Call) -> web.Response:
        call.require(authorization.GET_ACTIONS)
        view = self.in_memory.visible(call.path("id")) or await self._view(call)
        return answer(asdict(view.delivery_policy))

    async def set_policy(self, call: Call) -> web.Response:
        body = check(DeliveryPolicyBody, call.body, "body")
        call.require(authorization.UPDATE_ACTIONS)
        policy = DeliveryPolicy(**body.model_dump())
        state = await self.changes.set_delivery_policy(call.path("id"), policy, call.origin)
        return answer(asdict(state.delivery_policy))

    async def _switch(self, call: Call, *, enabled: bool) -> web.Response:
        check(Nothing, {} if call.body is None else call.body, "body")
        call.require(authorization.UPDATE_ACTIONS)
        return answer(_switched(await self.changes.switch(call.path("id"), call.origin, enabled=enabled)))

    async def _view(self, call: Call) -> ConnectorView:
        connector_id = call.path("id")
        view = await self.views.get(call.space_id, connector_id)
        if view is None:
            raise Refused.not_found(connector_id)
        return view


def _switched(state: Active) -> dict[str, str | bool | int]:
    return {"id": state.connector_id, "enabled": state.enabled, "version": state.version}
