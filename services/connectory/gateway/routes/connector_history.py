"""The history of a connector, the way back to an earlier version, and a look at what an action would send."""

from dataclasses import asdict, dataclass

from aiohttp import web

from connectory.connector_types.registry import TypeRegistry
from connectory.domain.errors import Refused
from connectory.domain.json_types import JsonObject
from connectory.gateway import authorization
from connectory.gateway.connector_json import changed_connector
from connectory.gateway.contracts import connector_history
from connectory.gateway.dry_runs import DryRuns
from connectory.gateway.history import ConnectorHistory
from connectory.gateway.history_schemas import DryRunBody, HistoryQuery, RestoreBody
from connectory.gateway.outgoing import answer
from connectory.gateway.restoring import Restoring
from connectory.gateway.routing import Call, Route
from connectory.gateway.run_rights import RunRights
from connectory.gateway.validation import check
from connectory.replay import Rehearsed


@dataclass(frozen=True, slots=True)
class ConnectorHistoryRoutes:
    history: ConnectorHistory
    restoring: Restoring
    dry_runs: DryRuns
    rights: RunRights
    types: TypeRegistry

    def table(self) -> tuple[Route, ...]:
        one = "/api/connectory/connectors/{id:[^/]+}"
        return (
            Route("GET", one + "/history", self.page, contract=connector_history.HISTORY),
            Route("POST", one + "/restore", self.restore, contract=connector_history.RESTORE),
            Route(
                "POST",
                one + "/_dry_run",
                self.dry_run,
                refused_as=authorization.EXECUTE_ACTIONS,
                contract=connector_history.DRY_RUN,
            ),
        )

    async def page(self, call: Call) -> web.Response:
        query = check(HistoryQuery, call.query, "query")
        call.require(authorization.GET_ACTIONS)
        page = await self.history.page(call.space_id, call.path("id"), query.size, query.cursor)
        if not page.items and query.cursor is None:
            raise Refused.not_found(call.path("id"))
        return answer({"items": page.items, "next_cursor": page.next_cursor})

    async def restore(self, call: Call) -> web.Response:
        body = check(RestoreBody, call.body, "body")
        call.require(authorization.UPDATE_ACTIONS)
        restored = await self.restoring.restore(call.path("id"), body.version, call.origin)
        state = restored.state
        return answer(
            {
                "id": state.connector_id,
                "version": state.version,
                "restored_version": body.version,
                "secrets": restored.secrets,
                "connector": changed_connector(state, self.types),
            }
        )

    async def dry_run(self, call: Call) -> web.Response:
        body = check(DryRunBody, call.body, "body")
        connector_id = call.path("id")
        await self.rights.require(call, connector_id)
        rehearsed = await self.dry_runs.run(connector_id, body.params, body.variables, call.origin)
        return answer(_shown(connector_id, rehearsed))


def _shown(connector_id: str, rehearsed: Rehearsed) -> JsonObject:
    refusal: JsonObject = {} if rehearsed.refusal is None else {"message": rehearsed.refusal}
    return {
        "connector_id": connector_id,
        "status": "ok" if rehearsed.refusal is None else "error",
        "connector_version": rehearsed.connector_version,
        "calls": [asdict(call) for call in rehearsed.calls],
        "log": rehearsed.lines,
        **refusal,
    }
