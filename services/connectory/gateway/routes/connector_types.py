"""Which connector types there are."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from connectory.connector_types.contract import AnyConnectorType
from connectory.connector_types.registry import TypeRegistry
from connectory.gateway import connector_json
from connectory.gateway.contracts import connectors
from connectory.gateway.errors import Rejected
from connectory.gateway.outgoing import answer
from connectory.gateway.routing import Call, Route
from connectory.gateway.schemas import TypesQuery
from connectory.gateway.validation import check


@dataclass(frozen=True, slots=True)
class ConnectorTypeRoutes:
    types: TypeRegistry

    def table(self) -> tuple[Route, ...]:
        internal = "/internal/actions/connector_types"
        return (
            Route("GET", "/api/actions/connector_types", self.get_all, contract=connectors.TYPES),
            Route("GET", internal, self.get_all_and_system, contract=connectors.TYPES_AND_SYSTEM),
            Route("GET", internal + "/{id:[^/]+}/spec", self.spec, contract=connectors.TYPE_SPEC),
        )

    async def get_all(self, call: Call) -> web.Response:
        """Any caller who is logged in may see them."""
        return self._list(call, [each for each in self.types if not each.is_system])

    async def get_all_and_system(self, call: Call) -> web.Response:
        return self._list(call, list(self.types))

    async def spec(self, call: Call) -> web.Response:
        type_id = call.path("id")
        declared = next((each for each in self.types if each.id == type_id and each.source == "spec"), None)
        if declared is None:
            raise Rejected.not_found()
        return answer(connector_json.type_spec(declared))

    def _list(self, call: Call, declared: Sequence[AnyConnectorType]) -> web.Response:
        wanted = check(TypesQuery, call.query, "query").feature_id
        shown = (each for each in declared if wanted is None or wanted in each.feature_ids)
        return answer([connector_json.connector_type(each, self.types) for each in shown])
