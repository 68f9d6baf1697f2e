"""Run an action now and wait for its result."""

from dataclasses import dataclass

from aiohttp import web

from connectory.domain.in_memory_connectors import InMemoryConnectors
from connectory.gateway import authorization, connector_json
from connectory.gateway.contracts import connectors
from connectory.gateway.executions import Executions
from connectory.gateway.outgoing import answer
from connectory.gateway.routing import Call, Route
from connectory.gateway.run_rights import RunRights
from connectory.gateway.schemas import Execution
from connectory.gateway.validation import check


@dataclass(frozen=True, slots=True)
class ExecutionRoutes:
    executions: Executions
    rights: RunRights
    in_memory: InMemoryConnectors

    def table(self) -> tuple[Route, ...]:
        return (
            Route(
                "POST",
                "/api/actions/connector/{id:[^/]+}/_execute",
                self.execute,
                refused_as=authorization.EXECUTE_ACTIONS,
                contract=connectors.EXECUTE,
            ),
        )

    async def execute(self, call: Call) -> web.Response:
        """Whether the connector exists is for the executor to say: the views may lag, the executor reads to the end."""
        body = check(Execution, call.body, "body")
        connector_id = call.path("id")
        self.in_memory.require_executable(connector_id)
        await self.rights.require(call, connector_id)
        result = await self.executions.run(connector_id, body.params, call.origin)
        return answer(connector_json.run_result(connector_id, result))
