"""Run an action now and wait for its result."""

from dataclasses import dataclass

from aiohttp import web

from connectory.gateway import authorization, connector_json
from connectory.gateway.executions import Executions
from connectory.gateway.outgoing import answer
from connectory.gateway.read_models import ConnectorViews
from connectory.gateway.routing import Call, Route
from connectory.gateway.schemas import Execution
from connectory.gateway.validation import check


@dataclass(frozen=True, slots=True)
class ExecutionRoutes:
    executions: Executions
    views: ConnectorViews

    def table(self) -> tuple[Route, ...]:
        return (Route("POST", "/api/actions/connector/{id:[^/]+}/_execute", self.execute),)

    async def execute(self, call: Call) -> web.Response:
        """Whether the connector exists is for the executor to say: the views may lag, the executor reads to the end."""
        body = check(Execution, call.body, "body")
        connector_id = call.path("id")
        await self._authorize(call, connector_id)
        result = await self.executions.run(connector_id, body.params, call.origin)
        return answer(connector_json.run_result(connector_id, result))

    async def _authorize(self, call: Call, connector_id: str) -> None:
        """A denial names the type where the connector can be resolved in this space."""
        if call.may(authorization.EXECUTE_ANY_TYPE):
            return
        view = await self.views.get(call.space_id, connector_id)
        operation = authorization.execute_action(view.connector_type_id) if view else authorization.EXECUTE_ACTIONS
        call.require(operation)
