"""How the executors are doing."""

from dataclasses import dataclass

from aiohttp import web

from connectory.gateway.contracts import system
from connectory.gateway.outgoing import answer
from connectory.gateway.routing import Call, Route
from connectory.gateway.task_health.watch import TaskHealth


@dataclass(frozen=True, slots=True)
class TaskManagerRoutes:
    health: TaskHealth

    def table(self) -> tuple[Route, ...]:
        return (Route("GET", "/api/task_manager/_health", self.get, contract=system.TASK_HEALTH),)

    async def get(self, _: Call) -> web.Response:
        """Always 200: the document says how it is. Any caller who is logged in may see it."""
        return answer(self.health.now().document)
