"""How have runs gone? A list of them, and how many ended in which way."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import web

from connectory.gateway import authorization
from connectory.gateway.contracts import event_documents as contracts
from connectory.gateway.event_documents.execution_logs import Window, ended, execution, runs
from connectory.gateway.event_documents.moments import read_moment
from connectory.gateway.event_documents.reading import EventDocuments
from connectory.gateway.event_documents.schemas import ExecutionFigures, ExecutionLogs
from connectory.gateway.outgoing import answer
from connectory.gateway.routing import Call, Route
from connectory.gateway.validation import check
from connectory.infra.clock import Clock
from connectory_projections.event_documents import Product
from connectory_projections.event_documents.conditions import Condition

MOST_LISTED: Final = 1000
"""Runs over all pages."""

MOST_COUNTED: Final = 10_000
COUNTED_FOR_TOTAL: Final = 2**62
_PATH: Final = "/internal/actions/_global_connector_execution"


@dataclass(frozen=True, slots=True)
class ExecutionLogRoutes:
    documents: EventDocuments
    product: Product
    clock: Clock

    def table(self) -> tuple[Route, ...]:
        return (
            Route("POST", f"{_PATH}_logs", self.logs, contract=contracts.LOGS),
            Route("POST", f"{_PATH}_kpi", self.figures, contract=contracts.FIGURES),
        )

    async def logs(self, call: Call) -> web.Response:
        asked = check(ExecutionLogs, call.body, "body")
        call.require(authorization.FIND_ACTIONS)
        where = _runs(call, asked, self.clock())
        total = await self.documents.count(ended(where), self.product, at_most=COUNTED_FOR_TOTAL)
        offset = (asked.page - 1) * asked.per_page
        limit = min(asked.per_page, MOST_LISTED - offset)
        if limit <= 0:
            return answer({"total": total, "data": []})
        found = await self.documents.search(where, asked.order, self.product, offset=offset, limit=limit)
        return answer({"total": total, "data": [execution(each.source) for each in found]})

    async def figures(self, call: Call) -> web.Response:
        asked = check(ExecutionFigures, call.body, "body")
        call.require(authorization.FIND_ACTIONS)
        where = _runs(call, asked, self.clock())
        counted = await self.documents.outcomes(where, self.product, newest=MOST_COUNTED)
        known = {name: counted.get(name, 0) for name in ("success", "failure", "warning")}
        return answer({**known, "unknown": sum(counted.values()) - sum(known.values())})


def _runs(call: Call, asked: ExecutionLogs | ExecutionFigures, now: datetime) -> Condition:
    start = read_moment(asked.date_start, "dateStart", now)
    end = now if asked.date_end is None else read_moment(asked.date_end, "dateEnd", now)
    wanted = [call.space_id] if asked.namespaces is None else asked.namespaces
    readable = [space_id for space_id in dict.fromkeys(wanted) if call.may(authorization.FIND_ACTIONS, space_id)]
    return runs(Window(start, end), readable, asked.filter, now)
