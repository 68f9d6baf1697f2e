"""`.gen-ai`: asks a large language model by chat completions, of OpenAI or of others that offer the same."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Annotated, Any, Final, TypeAlias

from annotated_types import Ge, Le
from pydantic import ConfigDict, Field, ValidationError

from connectory.connector_types.contract import ConnectorType, OutgoingResponse, Render, TypeExample
from connectory.connector_types.gen_ai_providers import (
    Azure,
    OpenAi,
    Other,
    Provider,
    Secrets,
    body_of,
    check_config,
    check_connector,
    check_secrets,
    config_of,
    headers_of,
    tls_of,
)
from connectory.connector_types.json_text import compact, parse_json
from connectory.connector_types.schemas import Absentable, Answer, Number, Schema, about
from connectory.connector_types.services import HttpFailure, Service, answer_json, checked_answer
from connectory.connector_types.sub_actions import SubAction, SubActionParams, SubActions, user_when_throttled
from connectory.domain.execution import TokenUsage
from connectory.domain.json_types import Json, JsonObject

RUN_TIMEOUT_MS: Final = 200_000
STREAM_TIMEOUT_MS: Final = 3_600_000
"""A stream has no limit of its own; what ends it is the limit of the run."""

NO_TEXT: Final = (
    "An error occurred sending your message. If the problem persists, please test the connector configuration."
)
_LINE_ENDS: Final = re.compile(r"\r\n|\n|\r")
"""Of events: what else counts as the end of a line may stand in their JSON."""

_UNTRUSTED: Final = ("CERT_", "UNABLE_TO_", "DEPTH_ZERO_SELF_SIGNED", "SELF_SIGNED")
_HANDSHAKE: Final = frozenset({"EPROTO", "ERR_TLS_CERT_ALTNAME_INVALID"})

Model: TypeAlias = Service[Provider, Secrets]


class Call(Schema):
    """`signal` is of use to callers in the same process only, and taken without effect."""

    body: Annotated[str, about("Body", "Of the call, as JSON", widget="json")]
    timeout: Annotated[Absentable[float], about("Timeout", "In milliseconds")] = None
    signal: Annotated[Any, about("Signal")] = None
    telemetry_metadata: Annotated[Absentable[dict[str, Any]], about("Telemetry metadata")] = None


class Stream(Call):
    stream: Annotated[bool, about("Stream", "Whether the answer comes as events")] = False


class ApiNames(Schema):
    """With keys as the API has them."""

    model_config = ConfigDict(alias_generator=None)


class Message(ApiNames):
    role: str
    content: Any = None
    name: Absentable[str] = None
    function_call: Any = None
    tool_calls: Any = None
    tool_call_id: Absentable[str] = None


class Chat(ApiNames):
    messages: Annotated[list[Message], about("Messages", widget="json")]
    model: Annotated[Absentable[str], about("Model")] = None
    tools: Annotated[Any, about("Tools", widget="json")] = None
    tool_choice: Annotated[Any, about("Tool choice", widget="json")] = None
    functions: Annotated[Any, about("Functions", "Deprecated", widget="json")] = None
    function_call: Annotated[Any, about("Function call", "Deprecated", widget="json")] = None
    n: Annotated[Absentable[int], about("Number of answers")] = None
    stop: Annotated[Any, about("Stop", widget="json")] = None
    temperature: Annotated[Absentable[Number], about("Temperature")] = None
    response_format: Annotated[Any, about("Response format", widget="json")] = None
    timeout: Annotated[Absentable[float], about("Timeout", "In milliseconds")] = None
    signal: Annotated[Any, about("Signal")] = None
    telemetry_metadata: Annotated[Absentable[dict[str, Any]], about("Telemetry metadata")] = Field(
        None, alias="telemetryMetadata"
    )

    @property
    def body(self) -> str:
        """What of it is sent."""
        ours = {"timeout", "signal", "telemetry_metadata"}
        return compact(self.model_dump(mode="json", exclude=ours, exclude_unset=True))


class Dashboard(Schema):
    dashboard_id: str


Tokens = Annotated[Number, Ge(0), Le(2**53)]


class Usage(Answer):
    prompt_tokens: Tokens
    completion_tokens: Tokens
    total_tokens: Tokens

    @property
    def counted(self) -> TokenUsage:
        return TokenUsage(
            prompt_tokens=int(self.prompt_tokens),
            completion_tokens=int(self.completion_tokens),
            total_tokens=int(self.total_tokens),
        )


class Completion(Answer):
    usage: Usage
    choices: list[dict[str, Any]]


async def run(model: Model, call: Call) -> Json:
    return answer_json(await _complete(model, call.body, call.timeout))


async def stream(model: Model, call: Stream) -> Json:
    """With `stream` the text of the events as they came, else the same as `run`."""
    if call.stream:
        return await _stream(model, call.body, call.timeout)
    return answer_json(await _complete(model, call.body, call.timeout, may_stream=True))


async def invoke_ai(model: Model, chat: Chat) -> Json:
    completion = await _complete(model, chat.body, chat.timeout)
    return {"message": _first_text(completion) or NO_TEXT, "usage": answer_json(completion.usage)}


async def invoke_stream(model: Model, chat: Chat) -> Json:
    return await _stream(model, chat.body, chat.timeout)


async def invoke_iterator(model: Model, chat: Chat) -> Json:
    """The events of the stream, each parsed."""
    model.blame = user_when_throttled
    return list(events_of(await _stream(model, chat.body, chat.timeout)))


async def get_dashboard(_model: Model, _params: Dashboard) -> Json:
    """There are no dashboards here."""
    return {"available": False}


def events_of(text: str) -> Iterator[Json]:
    """The data of server-sent events, one JSON value each; `[DONE]` is the end."""
    for line in _LINE_ENDS.split(text):
        data = line.removeprefix("data:").strip()
        if not line.startswith("data:") or data == "[DONE]":
            continue
        with suppress(ValueError):
            yield parse_json(data)


async def _complete(model: Model, body: str, timeout: float | None, *, may_stream: bool = False) -> Completion:
    answer = await _call(model, body, timeout or RUN_TIMEOUT_MS, stream=False, may_stream=may_stream)
    completion = checked_answer(answer, Completion)
    model.token_usage = completion.usage.counted
    return completion


async def _stream(model: Model, body: str, timeout: float | None) -> str:
    response = await _call(model, body, timeout or STREAM_TIMEOUT_MS, stream=True, may_stream=True)
    text = response.body.decode(errors="replace")
    model.token_usage = used(text)
    return text


def used(text: str) -> TokenUsage | None:
    """As events say that tell it; most services do so only when the body asks for it (`stream_options`)."""
    told = [event["usage"] for event in events_of(text) if isinstance(event, Mapping) and event.get("usage")]
    try:
        return Usage.model_validate(told[-1]).counted if told else None
    except ValidationError:
        return None


async def _call(model: Model, body: str, timeout_ms: float, *, stream: bool, may_stream: bool) -> OutgoingResponse:
    config, secrets = model.config, model.secrets
    model.tls = tls_of(config, secrets)
    return await model.send(
        "POST",
        config.api_url,
        data=body_of(config, body, stream=stream, may_stream=may_stream),
        headers=headers_of(config, secrets),
        secret_headers=frozenset({"api-key"}),
        timeout_ms=round(timeout_ms),
    )


def _first_text(completion: Completion) -> str:
    message = completion.choices[0].get("message") if completion.choices else None
    content = message.get("content") if isinstance(message, Mapping) else None
    return content.strip() if isinstance(content, str) else ""


def describe(failure: HttpFailure) -> str:
    if failure.status is None:
        return _unanswered(failure.error_code, failure.message)
    detail = _detail(failure.body)
    told = f" - {detail}" if detail else ""
    return f"Unauthorized API Error{told}" if failure.status == 401 else f"API Error: {failure.reason}{told}"


def _unanswered(code: str | None, message: str) -> str:
    if code is not None and code.startswith(_UNTRUSTED):
        return (
            f"Certificate error: {message}. Please check if your PKI certificates are valid "
            "or adjust SSL verification mode."
        )
    if code in _HANDSHAKE:
        return f"TLS handshake failed: {message}. Verify server certificate hostname and CA configuration."
    return f"Unexpected API Error: {code or 'undefined'} - {message}"


def _detail(body: Json) -> str:
    error = body.get("error") if isinstance(body, Mapping) else None
    message = error.get("message") if isinstance(error, Mapping) else error
    return message if isinstance(message, str) else ""


def render_params(params: JsonObject, render: Render) -> JsonObject:
    inner = params.get("subActionParams")
    body = inner.get("body") if isinstance(inner, Mapping) else None
    if params.get("subAction") not in ("run", "test") or not isinstance(inner, Mapping) or not isinstance(body, str):
        return params
    return {**params, "subActionParams": {**inner, "body": render(body, "json")}}


SUB_ACTIONS: SubActions[Provider, Secrets] = SubActions(
    type_id=".gen-ai",
    type_name="OpenAI",
    actions=[
        SubAction(name="run", title="Complete a chat", params=Call, run=run),
        SubAction(name="test", title="Test the connector", params=Call, run=run),
        SubAction(name="stream", title="Complete a chat by events", params=Stream, run=stream),
        SubAction(name="invokeAI", title="Ask with messages", params=Chat, run=invoke_ai),
        SubAction(name="invokeStream", title="Ask with messages, answered by events", params=Chat, run=invoke_stream),
        SubAction(name="invokeAsyncIterator", title="Ask, and list the events", params=Chat, run=invoke_iterator),
        SubAction(name="getDashboard", title="Look for a usage dashboard", params=Dashboard, run=get_dashboard),
    ],
    describe=describe,
)

GEN_AI: ConnectorType[Any, Secrets, SubActionParams] = ConnectorType(
    id=".gen-ai",
    name="OpenAI",
    minimum_license="enterprise",
    feature_ids=(
        "generativeAIForSecurity",
        "generativeAIForObservability",
        "generativeAIForSearchPlayground",
        "workflows",
    ),
    config=OpenAi,
    config_of=config_of,
    config_variants=(OpenAi, Azure, Other),
    secrets=Secrets,
    params=SubActionParams,
    execute=SUB_ACTIONS.execute,
    sub_actions=SUB_ACTIONS.infos,
    check_config=check_config,
    check_secrets=check_secrets,
    check_connector=check_connector,
    render_params=render_params,
    example=TypeExample(
        config={"apiProvider": "OpenAI", "apiUrl": "https://api.openai.com/v1/chat/completions"},
        secrets={"apiKey": "made-up-key"},
        params={
            "subAction": "invokeAI",
            "subActionParams": {"messages": [{"role": "user", "content": "Why do disks fill up?"}]},
        },
    ),
)
