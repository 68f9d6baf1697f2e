"""Create, get, list, update and delete connectors."""

from dataclasses import dataclass

from aiohttp import web

from connectory.connector_types.registry import TypeRegistry
from connectory.domain.errors import Refused
from connectory.gateway import authorization, connector_json
from connectory.gateway.changes import ConnectorChanges, Details
from connectory.gateway.contracts import connectors
from connectory.gateway.outgoing import answer, no_content
from connectory.gateway.read_models import ConnectorViews
from connectory.gateway.routing import Call, Route
from connectory.gateway.schemas import ConnectorDetails, NewConnector, UpdateParams, check_new_id
from connectory.gateway.validation import check


@dataclass(frozen=True, slots=True)
class ConnectorRoutes:
    changes: ConnectorChanges
    views: ConnectorViews
    types: TypeRegistry
    strict_ids: bool

    def table(self) -> tuple[Route, ...]:
        collection, one = "/api/actions/connector", "/api/actions/connector/{id:[^/]+}"
        return (
            Route("POST", collection, self.create, contract=connectors.CREATE),
            Route("POST", collection + "/", self.create, contract=connectors.CREATE),
            Route("POST", one, self.create_with_id, contract=connectors.CREATE_WITH_ID),
            Route("GET", one, self.get, contract=connectors.GET),
            Route("PUT", one, self.update, contract=connectors.UPDATE),
            Route("DELETE", one, self.delete, contract=connectors.DELETE),
            Route("GET", "/api/actions/connectors", self.get_all, contract=connectors.GET_ALL),
        )

    async def create(self, call: Call) -> web.Response:
        return await self._create(call, None)

    async def create_with_id(self, call: Call) -> web.Response:
        connector_id = call.path("id")
        check_new_id(connector_id, strict=self.strict_ids)
        return await self._create(call, connector_id)

    async def _create(self, call: Call, connector_id: str | None) -> web.Response:
        body = check(NewConnector, call.body, "body")
        call.require(authorization.create_action(body.connector_type_id))
        details = Details(body.name, body.config, body.secrets)
        state = await self.changes.create(connector_id, body.connector_type_id, details, call.origin)
        return answer(connector_json.changed_connector(state, self.types))

    async def get(self, call: Call) -> web.Response:
        call.require(authorization.GET_ACTIONS)
        connector_id = call.path("id")
        view = await self.views.get(call.space_id, connector_id)
        if view is None:
            raise Refused.not_found(connector_id)
        return answer(connector_json.connector(view, self.types))

    async def get_all(self, call: Call) -> web.Response:
        call.require(authorization.GET_ACTIONS)
        views = await self.views.in_space(call.space_id)
        return answer([connector_json.listed_connector(view, self.types) for view in views])

    async def update(self, call: Call) -> web.Response:
        params = check(UpdateParams, {"id": call.path("id")}, "params")
        body = check(ConnectorDetails, call.body, "body")
        call.require(authorization.UPDATE_ACTIONS)
        state = await self.changes.update(params.id, Details(body.name, body.config, body.secrets), call.origin)
        return answer(connector_json.changed_connector(state, self.types))

    async def delete(self, call: Call) -> web.Response:
        call.require(authorization.DELETE_ACTIONS)
        await self.changes.delete(call.path("id"), call.origin)
        return no_content()
