"""Which connector types there are."""

from dataclasses import dataclass

from aiohttp import web

from connectory.connector_types.registry import TypeRegistry
from connectory.gateway import connector_json
from connectory.gateway.contracts import connectors
from connectory.gateway.outgoing import answer
from connectory.gateway.routing import Call, Route
from connectory.gateway.schemas import TypesQuery
from connectory.gateway.validation import check


@dataclass(frozen=True, slots=True)
class ConnectorTypeRoutes:
    types: TypeRegistry

    def table(self) -> tuple[Route, ...]:
        return (Route("GET", "/api/actions/connector_types", self.get_all, contract=connectors.TYPES),)

    async def get_all(self, call: Call) -> web.Response:
        """System types are kept out; any caller who is logged in may see the others."""
        wanted = check(TypesQuery, call.query, "query").feature_id
        shown = (each for each in self.types if not each.is_system and (wanted is None or wanted in each.feature_ids))
        return answer([connector_json.connector_type(each, self.types) for each in shown])
