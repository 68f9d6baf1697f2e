"""Jobs and waiting requests with everything filled in."""

from datetime import datetime
from typing import Any

from connectory.domain.execution import ActionRequest, RequestPosition, WaitingRequest
from connectory.executor.jobs import Job
from tests.unit.connectors import AT


def position(offset: int) -> RequestPosition:
    return RequestPosition(topic="action-requests", partition=0, offset=offset)


def request(**changes: Any) -> ActionRequest:
    fields: dict[str, Any] = {"request_id": "r1", "space_id": "default", "connector_id": "c1", "params": {}}
    return ActionRequest(**{**fields, "requested_at": AT, **changes})


def job(offset: int = 0, **changes: Any) -> Job:
    return Job(request=request(request_id=f"r{offset}", **changes), position=position(offset), source=None)


def waiting(offset: int = 0, step: int = 1, attempts: int = 0, due_at: datetime = AT) -> WaitingRequest:
    return WaitingRequest(request=request(), position=position(offset), step=step, attempts=attempts, due_at=due_at)
