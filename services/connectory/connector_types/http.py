"""`.http`: sends one HTTP request that the params describe, to the connector's URL or one of theirs.

Besides connectors that users create there is a system one without config and secrets: each run says where it goes.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from annotated_types import Ge, Gt
from pydantic import AfterValidator, ConfigDict
from pydantic_core import PydanticCustomError, Url, ValidationError

from connectory.connector_types.contract import (
    ConnectorType,
    EgressFailed,
    OutgoingRequest,
    OutgoingResponse,
    Run,
    TypeExample,
    TypeSettings,
)
from connectory.connector_types.http_answers import said
from connectory.connector_types.json_text import parsed_or_text
from connectory.connector_types.schemas import Absentable, Schema, about
from connectory.connector_types.standard_webhooks import signature_headers
from connectory.connector_types.templating import Render
from connectory.connector_types.webhook_auth import (
    IDEMPOTENCY_KEY,
    QUERY,
    AuthConfig,
    AuthSecrets,
    HttpAuthType,
    SetUpFailed,
    access_token_of,
    has_header,
    headers_of,
    problem_with,
    with_tls,
)
from connectory.connector_types.webhook_results import no_response, no_set_up, refused
from connectory.domain.execution import Failed, Result, Succeeded
from connectory.domain.json_types import Json, JsonObject

NAME = "http"


def _is_url(text: str) -> str:
    try:
        Url(text)
    except ValidationError:
        raise PydanticCustomError("url_parsing", "not a URL") from None
    return text


WebUrl = Annotated[str, AfterValidator(_is_url)]


class Target(Schema):
    url: Annotated[WebUrl, about("URL", "Where requests go; a path of the params is put behind it")]


class Config(AuthConfig[HttpAuthType], Target):
    """The fields of `Target` come first."""


class SystemConfig(AuthConfig[HttpAuthType]):
    """What stands for the config of the system connector, which has none."""

    url: None = None


class Secrets(AuthSecrets):
    secret_query_params: Annotated[
        dict[str, str] | None, about("Secret query parameters", "Added to the query of every URL, never shown")
    ] = None


class Fetcher(Schema):
    """How the call is made. Its keys are in snake case on the wire."""

    skip_ssl_verification: Annotated[Absentable[bool], about("Skip TLS verification")] = None
    follow_redirects: Annotated[Absentable[bool], about("Follow redirects")] = None
    max_redirects: Annotated[Absentable[Annotated[int, Ge(0)]], about("Most redirects")] = None
    keep_alive: Annotated[Absentable[bool], about("Keep the connection")] = None

    model_config = ConfigDict(alias_generator=None)


class Params(Schema):
    method: Annotated[Literal["GET", "POST", "PUT", "PATCH", "DELETE"], about("Method")] = "GET"
    url: Annotated[Absentable[WebUrl], about("URL", "Where the connector has none")] = None
    path: Annotated[Absentable[str], about("Path", "Put behind the URL")] = None
    body: Annotated[Absentable[str], about("Body", widget="multiline")] = None
    query: Annotated[Absentable[dict[str, str]], about("Query parameters")] = None
    headers: Annotated[Absentable[dict[str, str]], about("Headers", "Count before those of the connector")] = None
    timeout: Annotated[Absentable[Annotated[float, Gt(0)]], about("Time limit", "In milliseconds")] = None
    fetcher: Annotated[Absentable[Fetcher], about("How the call is made")] = None


HttpRun = Run[Any, Secrets, Params]
"""The config is a `Config`, or a `SystemConfig`."""


def check_config(config: Config, settings: TypeSettings) -> str | None:
    problem = problem_with(config.url, config, settings)
    return f"error validation http action config: {problem}" if problem else None


def render_params(params: JsonObject, render: Render) -> JsonObject:
    """Everything that goes into the request is escaped for JSON."""

    def escaped(value: Json) -> Json:
        if isinstance(value, Mapping):
            return {key: escaped(item) for key, item in value.items()}
        return render(value, "json") if isinstance(value, str) else value

    return {key: escaped(value) if key in _RENDERED else value for key, value in params.items()}


_RENDERED = frozenset({"body", "url", "path", "query", "headers"})


async def execute(run: HttpRun) -> Result:
    base = run.config.url or run.params.url
    if base is None:
        return Failed(message=f"error calling {NAME}, request failed", service_message="URL is required", retry=False)
    try:
        access_token = await access_token_of(run) if run.config.uses_oauth else None
    except SetUpFailed as failure:
        return no_set_up(NAME, failure)
    request = _request(run, base, access_token)
    sent = len(request.body or b"")
    try:
        response = await run.egress.send(request)
    except EgressFailed as failure:
        return no_response(NAME, failure, sent)
    if 200 <= response.status < 300:
        return Succeeded(data=_shown(response), request_body_bytes=sent)
    if run.config.uses_oauth:
        run.tokens.drop_if_refused(run.connector_id, response.status)
    return refused(NAME, response, sent, run.now(), said)


def _request(run: HttpRun, base: str, access_token: str | None) -> OutgoingRequest:
    params, secrets = run.params, run.secrets
    headers = headers_of(run.config, secrets, access_token, params.headers)
    body = params.body.encode(errors="replace") if params.body else None
    if params.method != "GET" and not has_header(headers, IDEMPOTENCY_KEY):
        headers[IDEMPOTENCY_KEY] = run.idempotency_key
    if secrets.signing_secrets:
        headers |= signature_headers(secrets.signing_secrets, run.idempotency_key, run.now(), body or b"")
    request = OutgoingRequest(
        method=params.method,
        url=_url(base, params, _secret_query(run)),
        headers=headers,
        secret_headers=secrets.secret_header_names,
        body=body,
        timeout_ms=None if params.timeout is None else round(params.timeout),
    )
    return _fetched(with_tls(request, run.config, secrets), params.fetcher or Fetcher())


def _secret_query(run: HttpRun) -> Mapping[str, str]:
    is_asked_for = run.config.has_auth and run.config.auth_type == QUERY
    return (run.secrets.secret_query_params or {}) if is_asked_for else {}


def _url(base: str, params: Params, secret_query: Mapping[str, str]) -> str:
    """The path goes before the query that the URL has, and ours behind it."""
    place, _, query = base.partition("#")[0].partition("?")
    if params.path:
        place = f"{place.rstrip('/')}/{params.path.lstrip('/')}"
    added = urlencode({**(params.query or {}), **secret_query})
    whole = "&".join(filter(None, (query, added)))
    return f"{place}?{whole}" if whole else place


def _fetched(request: OutgoingRequest, fetcher: Fetcher) -> OutgoingRequest:
    verification = "none" if fetcher.skip_ssl_verification else request.verification_mode
    redirects = 0 if fetcher.follow_redirects is False else fetcher.max_redirects
    headers = {**request.headers, "Connection": "close"} if fetcher.keep_alive is False else request.headers
    return replace(request, verification_mode=verification, max_redirects=redirects, headers=headers)


def _shown(response: OutgoingResponse) -> JsonObject:
    headers: dict[str, str] = {}
    for name, value in response.headers.items():
        lowered = name.lower()
        headers[lowered] = f"{headers[lowered]}, {value}" if lowered in headers else value
    return {
        "status": response.status,
        "statusText": response.reason,
        "headers": headers,
        "data": parsed_or_text(response.body),
    }


_SYSTEM_HTTP = ConnectorType(
    id=".http",
    name="HTTP",
    minimum_license="gold",
    feature_ids=("workflows",),
    config=SystemConfig,
    secrets=Secrets,
    params=Params,
    execute=execute,
    render_params=render_params,
    is_system=True,
)

HTTP = ConnectorType(
    id=".http",
    name="HTTP",
    minimum_license="gold",
    feature_ids=("workflows",),
    config=Config,
    secrets=Secrets,
    params=Params,
    execute=execute,
    check_config=check_config,
    render_params=render_params,
    system_variant=_SYSTEM_HTTP,
    example=TypeExample(
        config={"url": "https://api.example.com", "hasAuth": False},
        params={"method": "GET", "path": "/status", "query": {"verbose": "true"}},
    ),
)
