"""Hand in action requests over HTTP, for services that do not speak Kafka, and cancel those that wait."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from connectory.domain.execution import ActionRequest, Delivery
from connectory.domain.json_types import Json
from connectory.gateway import authorization, json_bodies
from connectory.gateway.cancellations import Cancellations
from connectory.gateway.contracts import action_requests
from connectory.gateway.executions import Executions
from connectory.gateway.open_requests import OpenRequests
from connectory.gateway.origin import NewId, Origin
from connectory.gateway.outgoing import answer
from connectory.gateway.routing import Call, Route
from connectory.gateway.run_rights import RunRights
from connectory.gateway.schemas import (
    CancellationParams,
    CancellationQuery,
    RelatedObject,
    Submission,
    SubmittedRequest,
)
from connectory.gateway.validation import check
from connectory.infra.clock import Clock

ACCEPTED: Final = "accepted"
CUT_OFF: Final = "queuedActionsLimitError"
"""Of a request that was not taken, because as many are open as `queued.max` allows."""


@dataclass(frozen=True, slots=True)
class ActionRequestRoutes:
    executions: Executions
    cancellations: Cancellations
    rights: RunRights
    open_requests: OpenRequests
    clock: Clock
    new_id: NewId

    def table(self) -> tuple[Route, ...]:
        collection = "/api/connectory/action_requests"
        return (
            Route("POST", collection, self.submit, contract=action_requests.SUBMIT),
            Route("DELETE", collection + "/{request_id:[^/]+}", self.cancel, contract=action_requests.CANCEL),
        )

    async def submit(self, call: Call) -> web.Response:
        submitted = _submitted(call.body)
        connector_ids = [each.connector_id for each in submitted]
        call.concerns(*connector_ids)
        await self.rights.require_each(call, connector_ids)
        origin = call.origin
        requests = [self._request(each, origin) for each in submitted]
        admitted = self.open_requests.admit(len(requests))
        await self.executions.submit(requests[:admitted], origin)
        items = [_item(request, ACCEPTED if n < admitted else CUT_OFF) for n, request in enumerate(requests)]
        return answer({"items": items}, status=202)

    async def cancel(self, call: Call) -> web.Response:
        """202 when nobody has answered: the request ends without being run, unless it has begun."""
        request_id = check(CancellationParams, {"request_id": call.path("request_id")}, "params").request_id
        query = check(CancellationQuery, call.query, "query")
        call.require(authorization.EXECUTE_ACTIONS)
        cancelled = await self.cancellations.cancel(request_id, query.connector_id, call.origin)
        if cancelled is None:
            return answer({"request_id": request_id, "status": "accepted"}, status=202)
        return answer({"request_id": request_id, "connector_id": cancelled.connector_id, "status": "cancelled"})

    def _request(self, submitted: SubmittedRequest, origin: Origin) -> ActionRequest:
        return ActionRequest(
            request_id=submitted.request_id or self.new_id(),
            space_id=origin.space_id,
            connector_id=submitted.connector_id,
            params=submitted.params,
            requested_at=self.clock(),
            requested_by=origin.by,
            source=submitted.source,
            delivery=Delivery(submitted.delivery),
            connector_version=submitted.connector_version,
            expires_at=submitted.expires_at,
            ordering_key=submitted.ordering_key,
            max_attempts=submitted.max_attempts,
            context=origin.context(
                consumer=submitted.consumer,
                execution_id=submitted.execution_id,
                related_objects=_related_text(submitted.related_objects),
            ),
        )


def _submitted(body: Json) -> list[SubmittedRequest]:
    """One request, or a list of them, each checked under its index. Raises `Rejected` for the first that is bad."""
    if not (isinstance(body, dict) and "requests" in body):
        return [check(SubmittedRequest, body, "body")]
    requests = check(Submission, body, "body").requests
    return [check(SubmittedRequest, each, "body", ("requests", index)) for index, each in enumerate(requests)]


def _related_text(objects: Sequence[RelatedObject] | None) -> str | None:
    """As records carry them."""
    found = [each.model_dump(exclude_none=True) for each in objects or ()]
    return json_bodies.write(found).decode() if found else None


def _item(request: ActionRequest, status: str) -> Json:
    return {"request_id": request.request_id, "connector_id": request.connector_id, "status": status}
