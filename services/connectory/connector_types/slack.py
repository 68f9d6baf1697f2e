"""`.slack`: posts a message through an incoming webhook of a Slack channel."""

from typing import Annotated

from annotated_types import MinLen

from connectory.connector_types.calls import json_post, no_answer, sent_bytes, unwelcome_answer
from connectory.connector_types.contract import ConnectorType, EgressFailed, Run, TypeExample, TypeSettings
from connectory.connector_types.schemas import Nothing, Schema, SecretSchema, about
from connectory.connector_types.slack_answers import refused_by_slack
from connectory.connector_types.templating import Render
from connectory.domain.execution import Result, Succeeded
from connectory.domain.json_types import JsonObject

ACCEPTED = "ok"
"""The whole body of an answer to a message that was taken."""


class Secrets(SecretSchema):
    webhook_url: Annotated[str, about("Webhook URL", "Of the incoming webhook that Slack made for the channel")]


class Params(Schema):
    message: Annotated[str, MinLen(1), about("Message", widget="multiline")]


def check_secrets(secrets: Secrets, settings: TypeSettings) -> str | None:
    if not settings.hosts.hostname_of(secrets.webhook_url):
        return "error configuring slack action: unable to parse host name from webhookUrl"
    problem = settings.hosts.check_url(secrets.webhook_url)
    return f"error configuring slack action: {problem}" if problem else None


def render_params(params: JsonObject, render: Render) -> JsonObject:
    message = params.get("message")
    return {**params, "message": render(message, "slack")} if isinstance(message, str) else params


async def execute(run: Run[Nothing, Secrets, Params]) -> Result:
    request = json_post(run.secrets.webhook_url, {"text": run.params.message})
    try:
        response = await run.egress.send(request)
    except EgressFailed as failure:
        return no_answer(request, failure, "error posting slack message", service_message=failure.message)
    if not 200 <= response.status < 300:
        return refused_by_slack(request, response, run.now())
    text = response.body.decode(errors="replace")
    if text == ACCEPTED:
        return Succeeded(data={"text": text}, request_body_bytes=sent_bytes(request))
    return unwelcome_answer(request, response, run.now(), "error posting slack message", service_message=text)


SLACK = ConnectorType(
    id=".slack",
    name="Slack",
    minimum_license="gold",
    feature_ids=("alerting", "uptime", "siem", "workflows"),
    config=Nothing,
    secrets=Secrets,
    params=Params,
    execute=execute,
    check_secrets=check_secrets,
    render_params=render_params,
    example=TypeExample(
        secrets={"webhookUrl": "https://hooks.slack.com/services/T000/B000/made-up"},
        params={"message": "Disk almost full"},
    ),
)
