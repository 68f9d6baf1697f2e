"""`.teams`: posts a message through an incoming webhook of a Microsoft Teams channel."""

from typing import Annotated, Final

from annotated_types import MinLen

from connectory.connector_types.calls import json_post, no_answer, sent_bytes, unwelcome_answer, whose_fault
from connectory.connector_types.contract import (
    ConnectorType,
    EgressFailed,
    OutgoingRequest,
    OutgoingResponse,
    Run,
    TypeExample,
    TypeSettings,
)
from connectory.connector_types.retry_after import retry_at
from connectory.connector_types.schemas import Nothing, Schema, SecretSchema, about
from connectory.domain.execution import Failed, Result, Succeeded, iso_millis

THROTTLED: Final = "ErrorCode:ApplicationThrottled"
"""Teams says so in the body of an answer whose status is a success."""


class Secrets(SecretSchema):
    webhook_url: Annotated[str, about("Webhook URL", "Of the incoming webhook of the channel")]


class Params(Schema):
    message: Annotated[str, MinLen(1), about("Message", widget="multiline")]


TeamsRun = Run[Nothing, Secrets, Params]


def check_secrets(secrets: Secrets, settings: TypeSettings) -> str | None:
    if not settings.hosts.hostname_of(secrets.webhook_url):
        return "error configuring teams action: unable to parse host name from webhookUrl"
    problem = settings.hosts.check_url(secrets.webhook_url)
    return f"error configuring teams action: {problem}" if problem else None


async def execute(run: TeamsRun) -> Result:
    request = json_post(run.secrets.webhook_url, {"text": run.params.message})
    try:
        response = await run.egress.send(request)
    except EgressFailed as failure:
        return no_answer(request, failure, "error posting to Microsoft Teams, unexpected error")
    if not 200 <= response.status < 300:
        return _refused(run, request, response)
    text = response.body.decode(errors="replace")
    if THROTTLED in text:
        return _throttled(run, request, response)
    return Succeeded(data={"text": text}, request_body_bytes=sent_bytes(request))


def _refused(run: TeamsRun, request: OutgoingRequest, response: OutgoingResponse) -> Failed:
    if response.status >= 500:
        message = "error posting a Microsoft Teams message, retry later"
        return unwelcome_answer(request, response, run.now(), message, retry=True, error_source=whose_fault(response))
    told = f"[{response.status}] {response.reason}"
    message = "error posting to Microsoft Teams, invalid response"
    return unwelcome_answer(request, response, run.now(), message, service_message=told)


def _throttled(run: TeamsRun, request: OutgoingRequest, response: OutgoingResponse) -> Failed:
    moment = retry_at(response.headers.get("retry-after"), run.now())
    if moment is None:
        message = "error posting a Microsoft Teams message, retry later"
        return unwelcome_answer(request, response, run.now(), message, retry=True)
    message = f"error posting a Microsoft Teams message, retry at {iso_millis(moment)}"
    return unwelcome_answer(request, response, run.now(), message, service_message=run.params.message, retry=moment)


TEAMS = ConnectorType(
    id=".teams",
    name="Microsoft Teams",
    minimum_license="gold",
    feature_ids=("alerting", "uptime", "siem", "workflows", "agentBuilder"),
    config=Nothing,
    secrets=Secrets,
    params=Params,
    execute=execute,
    check_secrets=check_secrets,
    example=TypeExample(
        secrets={"webhookUrl": "https://example.webhook.office.com/webhookb2/made-up"},
        params={"message": "Disk almost full"},
    ),
)
