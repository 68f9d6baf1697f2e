"""Outcomes of attempts as the executor writes them, for whoever reads documents of them."""

from datetime import datetime, timedelta
from typing import Any

from connectory.domain import outcomes
from connectory.domain.execution import ActionRequest, Failed, Outcome, RequestPosition, Result, RunContext, Succeeded
from connectory.domain.outcomes import Attempt, ConnectorLabel
from tests.projection_events import NOON

PLACE = RequestPosition(topic="action-requests", partition=0, offset=0)
LIMIT = timedelta(minutes=5)
BOOM = Failed(message="error calling webhook, retry later", service_message="[503] Service Unavailable", retry=True)
RULE = RunContext(
    consumer="siem",
    execution_id="rule-run-1",
    related_objects='[{"type":"alert","id":"rule-1","type_id":"siem.query","namespace":"red"}]',
)


def attempt(execution_id: str, **fields: Any) -> Attempt:
    """At a request for `hook`, which is of the space that is named."""
    of_request: dict[str, Any] = {
        name: fields.pop(name) for name in ("space_id", "source", "requested_by", "context") if name in fields
    }
    label = ConnectorLabel(name="hook", type_id=".webhook", version=1, in_memory=fields.pop("in_memory", False))
    request: dict[str, Any] = {"space_id": "default", "connector_id": fields.pop("connector_id", "c1"), **of_request}
    return Attempt(
        request=ActionRequest(request_id=f"r-{execution_id}", params={}, requested_at=NOON, **request),
        position=PLACE,
        execution_id=execution_id,
        connector=label,
        **fields,
    )


def run(
    execution_id: str,
    result: Result | None = None,
    *,
    at: datetime = NOON,
    took: timedelta = timedelta(milliseconds=27),
    **fields: Any,
) -> tuple[Outcome, Outcome]:
    """The start and the end of an attempt."""
    made = attempt(execution_id, **fields)
    result = Succeeded(request_body_bytes=1024) if result is None else result
    return outcomes.start(made, at), outcomes.finish(made, at, at + took, result)


def cut_off(execution_id: str, *, at: datetime = NOON, **fields: Any) -> tuple[Outcome, Outcome]:
    """The start of an attempt and its end at the time limit."""
    made = attempt(execution_id, **fields)
    return outcomes.start(made, at), outcomes.time_out(made, at, at + LIMIT, outcomes.timed_out(made, LIMIT))
