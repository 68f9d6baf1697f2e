"""`.webhook`: sends one HTTP request to a URL of the user's."""

import json
from typing import Final, Literal

from connectory.connector_types.contract import (
    ConnectorType,
    EgressFailed,
    EgressRefused,
    OutgoingRequest,
    OutgoingResponse,
    Run,
    TypeSettings,
)
from connectory.connector_types.retry_after import retry_at
from connectory.connector_types.schemas import Absentable, Schema
from connectory.connector_types.templating import Render
from connectory.connector_types.webhook_auth import (
    AuthConfig,
    AuthSecrets,
    has_header,
    headers_of,
    problem_with,
)
from connectory.domain.execution import Failed, Result, Retry, Succeeded, iso_millis
from connectory.domain.json_types import JsonObject
from connectory.domain.retry import DECLINED_STATUSES

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
"""Tells a target that two attempts are of one request. A header of that name in the config or secrets wins."""

_METHODS_WITH_BODY: Final = frozenset({"post", "put", "patch"})


class Target(Schema):
    url: str
    method: Literal["post", "put", "patch", "get", "delete"] = "post"


class Config(AuthConfig, Target):
    """The fields of `Target` come first, in what is saved and in the order of problems."""


class Params(Schema):
    body: Absentable[str] = None


WebhookRun = Run[Config, AuthSecrets, Params]


def check_config(config: Config, settings: TypeSettings) -> str | None:
    problem = problem_with(config.url, config, settings)
    return f"error validation webhook action config: {problem}" if problem else None


def render_params(params: JsonObject, render: Render) -> JsonObject:
    body = params.get("body")
    return {**params, "body": render(body, "json")} if isinstance(body, str) else params


async def execute(run: WebhookRun) -> Result:
    request = _request(run)
    sent = len(request.body or b"")
    try:
        response = await run.egress.send(request)
    except EgressFailed as failure:
        return _no_response(failure, sent)
    if 200 <= response.status < 300:
        return Succeeded(data=run.params.body, request_body_bytes=sent)
    return _refused(response, sent, run)


def _request(run: WebhookRun) -> OutgoingRequest:
    headers = headers_of(run.config, run.secrets)
    if not has_header(headers, IDEMPOTENCY_KEY):
        headers[IDEMPOTENCY_KEY] = run.idempotency_key
    with_body = run.config.method in _METHODS_WITH_BODY
    return OutgoingRequest(
        method=run.config.method.upper(),
        url=run.config.url,
        headers=headers,
        secret_headers=run.secrets.secret_header_names,
        body=run.params.body.encode(errors="replace") if with_body and run.params.body else None,
        verification_mode=run.config.verification_mode,
        ca_pem=run.config.ca_pem,
    )


def _no_response(failure: EgressFailed, sent: int) -> Failed:
    text = failure.message
    return Failed(
        message="error calling webhook, request failed",
        service_message=f"[{failure.error_code}] {text}" if failure.error_code else text,
        retry=False if isinstance(failure, EgressRefused) else None,
        reason=failure.code,
        request_body_bytes=sent,
        undelivered=failure.undelivered,
    )


def _refused(response: OutgoingResponse, sent: int, run: WebhookRun) -> Failed:
    message, retry = _verdict(response, run)
    return Failed(
        message=f"error calling webhook, {message}",
        service_message=f"[{response.status}] {response.reason}{_said(response.body)}",
        retry=retry,
        request_body_bytes=sent,
        status=response.status,
        undelivered=response.status in DECLINED_STATUSES,
        retry_after=retry_at(response.headers.get("retry-after"), run.now()),
    )


def _verdict(response: OutgoingResponse, run: WebhookRun) -> tuple[str, Retry]:
    if response.status == 429:
        moment = retry_at(response.headers.get("retry-after"), run.now())
        return (f"retry at {iso_millis(moment)}", moment) if moment else ("retry later", True)
    return ("retry later", True) if response.status >= 500 else ("invalid response", None)


def _said(body: bytes) -> str:
    """`: {message}` when the response is a JSON object with a message, else nothing."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    message = answer.get("message") if isinstance(answer, dict) else None
    return f": {_text(message)}" if message else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


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
)
