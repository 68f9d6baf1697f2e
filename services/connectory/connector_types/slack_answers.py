"""What Slack's refusals mean, whichever of its ways in they come from."""

from datetime import datetime

from connectory.connector_types.calls import status_text, unwelcome_answer, whose_fault
from connectory.connector_types.contract import OutgoingRequest, OutgoingResponse
from connectory.connector_types.retry_after import retry_at
from connectory.domain.execution import Failed, iso_millis

THROTTLED = 429


def refused_by_slack(
    request: OutgoingRequest, response: OutgoingResponse, now: datetime, *, tells_status: bool = True
) -> Failed:
    """The result for a status that is no success. Without `tells_status` only a delay has a service message."""
    source, text = whose_fault(response), status_text(response)
    moment = retry_at(response.headers.get("retry-after"), now) if response.status == THROTTLED else None
    if moment is not None:
        message = f"error posting a slack message, retry at {iso_millis(moment)}"
        return unwelcome_answer(
            request, response, now, message, service_message=text, retry=moment, error_source=source
        )
    if response.status == THROTTLED or response.status >= 500:
        message, told = "error posting a slack message, retry later", text if tells_status else None
        return unwelcome_answer(request, response, now, message, service_message=told, retry=True, error_source=source)
    message = f"unexpected http response from slack: {response.status} {response.reason}"
    return unwelcome_answer(request, response, now, message, error_source=source)
