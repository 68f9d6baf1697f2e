"""Create, get, list, update and delete connectors."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter

from aiohttp import web

from connectory.connector_types.registry import TypeRegistry
from connectory.domain.errors import Refused
from connectory.domain.in_memory_connectors import InMemoryConnector, InMemoryConnectors
from connectory.gateway import authorization, connector_json
from connectory.gateway.changes import ConnectorChanges, Details
from connectory.gateway.connector_json import listed_connector, listed_in_memory_connector
from connectory.gateway.contracts import connectors
from connectory.gateway.history import ConnectorHistory
from connectory.gateway.history_schemas import AsOfQuery
from connectory.gateway.outgoing import answer, no_content
from connectory.gateway.read_models import ConnectorViews
from connectory.gateway.reference_views import References
from connectory.gateway.routing import Call, Route
from connectory.gateway.schemas import ConnectorDetails, NewConnector, UpdateParams, check_new_id
from connectory.gateway.validation import check
from connectory_projections.collation import name_sort_key
from connectory_projections.connectors_by_space import ConnectorView


@dataclass(frozen=True, slots=True)
class ConnectorRoutes:
    changes: ConnectorChanges
    views: ConnectorViews
    references: References
    history: ConnectorHistory
    types: TypeRegistry
    in_memory: InMemoryConnectors
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
            Route(
                "GET", "/internal/actions/connectors", self.get_all_and_system, contract=connectors.GET_ALL_AND_SYSTEM
            ),
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
        call.concerns(state.connector_id)
        return answer(connector_json.changed_connector(state, self.types))

    async def get(self, call: Call) -> web.Response:
        as_of = _as_of(call)
        call.require(authorization.GET_ACTIONS)
        connector_id = call.path("id")
        in_memory = self.in_memory.visible(connector_id)
        if in_memory is not None:
            return answer(connector_json.in_memory_connector(in_memory, self.types))
        view = await self._view(call.space_id, connector_id, as_of)
        if view is None:
            raise Refused.not_found(connector_id)
        return answer(connector_json.connector(view, self.types))

    async def get_all(self, call: Call) -> web.Response:
        return await self._list(call, self.in_memory.shown())

    async def get_all_and_system(self, call: Call) -> web.Response:
        return await self._list(call, [*self.in_memory.shown(), *self.in_memory.system()])

    async def _list(self, call: Call, in_memory: Sequence[InMemoryConnector]) -> web.Response:
        """By name; of equal names the saved ones come first, then those in memory as they are given."""
        as_of = _as_of(call)
        call.require(authorization.FIND_ACTIONS)
        saved, counts = await asyncio.gather(self._views(call.space_id, as_of), self.references.counts(call.space_id))
        items = [
            *(
                (each.name_sort_key, listed_connector(each, self.types, counts.get(each.connector_id, 0)))
                for each in saved
                if not self._shadowed(each)
            ),
            *((name_sort_key(each.name), listed_in_memory_connector(each, self.types)) for each in in_memory),
        ]
        if in_memory:
            items.sort(key=itemgetter(0))
        return answer([item for _, item in items])

    async def _view(self, space_id: str, connector_id: str, as_of: datetime | None) -> ConnectorView | None:
        if as_of is None:
            return await self.views.get(space_id, connector_id)
        return await self.history.as_of(space_id, connector_id, as_of)

    async def _views(self, space_id: str, as_of: datetime | None) -> Sequence[ConnectorView]:
        if as_of is None:
            return await self.views.in_space(space_id)
        return await self.history.all_as_of(space_id, as_of)

    def _shadowed(self, view: ConnectorView) -> bool:
        return view.connector_id in self.in_memory

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


def _as_of(call: Call) -> datetime | None:
    """What else stands in the query was never looked at, and clients may rely on that."""
    query = call.query
    return check(AsOfQuery, {"as_of": query["as_of"]}, "query").as_of if "as_of" in query else None
