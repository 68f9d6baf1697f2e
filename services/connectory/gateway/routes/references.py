"""References to connectors: declare one, withdraw one, list those to a connector."""

from dataclasses import dataclass

from aiohttp import web

from connectory.domain.execution import iso_millis
from connectory.domain.json_types import JsonObject
from connectory.domain.references import ConnectorReference
from connectory.gateway import authorization
from connectory.gateway.contracts import references
from connectory.gateway.outgoing import answer, no_content
from connectory.gateway.reference_schemas import ReferenceParams, ReferencesQuery
from connectory.gateway.references import ReferenceDesk
from connectory.gateway.routing import Call, Route
from connectory.gateway.run_rights import RunRights
from connectory.gateway.validation import check


@dataclass(frozen=True, slots=True)
class ReferenceRoutes:
    desk: ReferenceDesk
    rights: RunRights

    def table(self) -> tuple[Route, ...]:
        of_connector = "/api/connectory/references/{connector_id:[^/]+}"
        one = of_connector + "/{type:[^/]+}/{id:[^/]+}"
        return (
            Route("PUT", one, self.declare, contract=references.DECLARE),
            Route("DELETE", one, self.withdraw, contract=references.WITHDRAW),
            Route("GET", of_connector, self.page, contract=references.LIST),
        )

    async def declare(self, call: Call) -> web.Response:
        named = await self._named(call)
        return answer(_shown(await self.desk.declare(named.connector_id, named.type, named.id, call.origin)))

    async def withdraw(self, call: Call) -> web.Response:
        named = await self._named(call)
        await self.desk.withdraw(named.connector_id, named.type, named.id, call.origin)
        return no_content()

    async def page(self, call: Call) -> web.Response:
        query = check(ReferencesQuery, call.query, "query")
        call.require(authorization.GET_ACTIONS)
        connector_id = call.path("connector_id")
        await self.desk.require(call.space_id, connector_id)
        page = await self.desk.references.page(call.space_id, connector_id, query.size, query.cursor)
        return answer({"items": [_shown(each) for each in page.items], "next_cursor": page.next_cursor})

    async def _named(self, call: Call) -> ReferenceParams:
        path = {name: call.path(name) for name in ("connector_id", "type", "id")}
        named = check(ReferenceParams, path, "params")
        call.concerns(named.connector_id)
        await self.rights.require(call, named.connector_id)
        return named


def _shown(reference: ConnectorReference) -> JsonObject:
    return {
        "connector_id": reference.connector_id,
        "type": reference.type,
        "id": reference.id,
        "declared_at": iso_millis(reference.at),
        "declared_by": reference.by,
    }
