"""`.webhook`: sends one HTTP request to a URL of the user's."""

from typing import Annotated, Final, Literal

from connectory.connector_types.contract import (
    ConnectorType,
    EgressFailed,
    OutgoingRequest,
    Run,
    TypeExample,
    TypeSettings,
)
from connectory.connector_types.json_text import compact, parsed_or_text
from connectory.connector_types.schemas import Absentable, Schema, about
from connectory.connector_types.standard_webhooks import signature_headers
from connectory.connector_types.templating import Render
from connectory.connector_types.webhook_auth import (
    IDEMPOTENCY_KEY,
    AuthConfig,
    AuthSecrets,
    SetUpFailed,
    WebhookAuthType,
    access_token_of,
    has_header,
    headers_of,
    problem_with,
    with_tls,
)
from connectory.connector_types.webhook_results import no_response, no_set_up, refused
from connectory.domain.execution import Result, Succeeded
from connectory.domain.json_types import JsonObject

NAME: Final = "webhook"
_METHODS_WITH_BODY: Final = frozenset({"post", "put", "patch"})


class Target(Schema):
    url: Annotated[str, about("URL", "Where requests go")]
    method: Annotated[Literal["post", "put", "patch", "get", "delete"], about("Method")] = "post"


class Config(AuthConfig[WebhookAuthType], Target):
    """The fields of `Target` come first, in what is saved and in the order of problems."""


class Params(Schema):
    body: Annotated[Absentable[str], about("Body", "Sent as it is, by methods that have one", widget="multiline")] = (
        None
    )


WebhookRun = Run[Config, AuthSecrets, Params]


def check_config(config: Config, settings: TypeSettings) -> str | None:
    problem = problem_with(config.url, config, settings)
    return f"error validation webhook action config: {problem}" if problem else None


def render_params(params: JsonObject, render: Render) -> JsonObject:
    body = params.get("body")
    return {**params, "body": render(body, "json")} if isinstance(body, str) else params


async def execute(run: WebhookRun) -> Result:
    try:
        access_token = await access_token_of(run) if run.config.uses_oauth else None
    except SetUpFailed as failure:
        return no_set_up(NAME, failure)
    request = _request(run, access_token)
    sent = len(request.body or b"")
    try:
        response = await run.egress.send(request)
    except EgressFailed as failure:
        return no_response(NAME, failure, sent)
    if 200 <= response.status < 300:
        return Succeeded(data=run.params.body, request_body_bytes=sent)
    if run.config.uses_oauth:
        run.tokens.drop_if_refused(run.connector_id, response.status)
    return refused(NAME, response, sent, run.now(), _said)


def _request(run: WebhookRun, access_token: str | None) -> OutgoingRequest:
    config, secrets = run.config, run.secrets
    headers = headers_of(config, secrets, access_token)
    if not has_header(headers, IDEMPOTENCY_KEY):
        headers[IDEMPOTENCY_KEY] = run.idempotency_key
    with_body = config.method in _METHODS_WITH_BODY
    body = run.params.body.encode(errors="replace") if with_body and run.params.body else None
    if secrets.signing_secrets:
        headers |= signature_headers(secrets.signing_secrets, run.idempotency_key, run.now(), body or b"")
    request = OutgoingRequest(
        method=config.method.upper(),
        url=config.url,
        headers=headers,
        secret_headers=secrets.secret_header_names,
        body=body,
    )
    return with_tls(request, config, secrets)


def _said(body: bytes) -> str | None:
    """The `message` of an answer that is a JSON object."""
    answer = parsed_or_text(body)
    message = answer.get("message") if isinstance(answer, dict) else None
    if not message:
        return None
    return message if isinstance(message, str) else compact(message)


WEBHOOK = ConnectorType(
    id=".webhook",
    name="Webhook",
    minimum_license="gold",
    feature_ids=("alerting", "uptime", "siem", "workflows"),
    config=Config,
    secrets=AuthSecrets,
    params=Params,
    execute=execute,
    check_config=check_config,
    render_params=render_params,
    example=TypeExample(
        config={"url": "https://hooks.example.com/in", "hasAuth": True},
        secrets={"user": "ops", "password": "made-up-password"},
        params={"body": '{"text": "Disk almost full"}'},
    ),
)
