"""What happened, newest first, a page at a time."""

from dataclasses import dataclass

from aiohttp import web

from connectory.gateway import authorization
from connectory.gateway.contracts import action_requests
from connectory.gateway.outgoing import answer
from connectory.gateway.read_models import EventLog
from connectory.gateway.routing import Call, Route
from connectory.gateway.schemas import EventLogQuery
from connectory.gateway.validation import check
from connectory_projections.event_log import EventLogFilter


@dataclass(frozen=True, slots=True)
class EventLogRoutes:
    event_log: EventLog

    def table(self) -> tuple[Route, ...]:
        return (Route("GET", "/api/connectory/event_log", self.page, contract=action_requests.EVENT_LOG),)

    async def page(self, call: Call) -> web.Response:
        query = check(EventLogQuery, call.query, "query")
        call.require(authorization.FIND_ACTIONS)
        where = EventLogFilter(**query.model_dump(exclude={"size", "cursor"}))
        page = await self.event_log.page(call.space_id, where, query.size, query.cursor)
        return answer({"items": page.items, "next_cursor": page.next_cursor})
