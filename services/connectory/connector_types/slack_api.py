"""`.slack_api`: posts messages, plain or of blocks, through Slack's Web API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from annotated_types import MaxLen, MinLen
from pydantic import AfterValidator

from connectory.connector_types.calls import no_answer, sent_bytes, unwelcome_answer
from connectory.connector_types.contract import (
    ConnectorType,
    EgressFailed,
    OutgoingRequest,
    OutgoingResponse,
    Run,
    RunFailed,
    SubActionInfo,
    TypeExample,
    TypeSettings,
)
from connectory.connector_types.json_text import compact, parse_json, parsed_or_text
from connectory.connector_types.schemas import Absentable, Schema, SecretSchema, about, own_rule
from connectory.connector_types.slack_answers import refused_by_slack
from connectory.connector_types.templating import Render
from connectory.domain.execution import Failed, Result, Succeeded
from connectory.domain.json_types import Json, JsonObject

TYPE_ID: Final = ".slack_api"
BASE_URL: Final = "https://slack.com/api/"
FAILED: Final = "error posting slack message"
EXTERNAL_SERVICE: Final = "[Action][ExternalService] -> [Slack API]"


class Channel(Schema):
    id: Annotated[Absentable[str], about("Channel id")] = None
    name: Annotated[str, MinLen(1), about("Channel name")]


class Config(Schema):
    allowed_channels: Annotated[
        Absentable[Annotated[list[Channel], MaxLen(500)]],
        about("Allowed channels", "When there are any, messages go to these channels and to no others"),
    ] = None


class Secrets(SecretSchema):
    token: Annotated[str, MinLen(1), about("API token", "Of a Slack app that may write messages")]


def _with_hash(name: str) -> str:
    if not name.startswith("#"):
        raise own_rule("Channel name must start with #")
    return name


def _with_blocks(text: str) -> str:
    try:
        body = parse_json(text)
    except ValueError as error:
        raise own_rule(f"block kit body is not valid JSON - {error}") from None
    if not isinstance(body, Mapping) or "blocks" not in body:
        raise own_rule('block kit body must contain field "blocks"')
    return text


class ChannelId(Schema):
    channel_id: Annotated[Absentable[str], about("Channel id")] = None


class Posting(Schema):
    """To the first of the names, else of the ids, else of `channels`, which is deprecated."""

    channels: Annotated[Absentable[Annotated[list[str], MaxLen(1)]], about("Channels", "Deprecated")] = None
    channel_ids: Annotated[Absentable[Annotated[list[str], MaxLen(1)]], about("Channel ids")] = None
    channel_names: Annotated[
        Absentable[list[Annotated[str, AfterValidator(_with_hash)]]], about("Channel names", "Each starts with #")
    ] = None


class Message(Posting):
    text: Annotated[str, MinLen(1), about("Message", widget="multiline")]


class Blocks(Posting):
    text: Annotated[str, AfterValidator(_with_blocks), about("Block kit", "JSON with the key blocks", widget="json")]

    @property
    def blocks(self) -> Json:
        body = parse_json(self.text)
        return body["blocks"] if isinstance(body, Mapping) else None


class Params(Schema):
    """Of any sub-action; those that are known have schemas of their own."""

    sub_action: str
    sub_action_params: dict[str, Any]


class CheckChannel(Schema):
    sub_action: str
    sub_action_params: ChannelId


class PostMessage(Schema):
    sub_action: str
    sub_action_params: Message


class PostBlocks(Schema):
    sub_action: str
    sub_action_params: Blocks


SUB_ACTIONS: Final[Mapping[str, type[Schema]]] = {
    "validChannelId": CheckChannel,
    "postMessage": PostMessage,
    "postBlockkit": PostBlocks,
}

SlackRun = Run[Config, Secrets, Schema]


def params_of(params: JsonObject) -> type[Schema]:
    name = params.get("subAction")
    return SUB_ACTIONS.get(name, Params) if isinstance(name, str) else Params


def check_secrets(_secrets: Secrets, settings: TypeSettings) -> str | None:
    problem = settings.hosts.check_url(BASE_URL)
    return f"error configuring slack action: {problem}" if problem else None


def render_params(params: JsonObject, render: Render) -> JsonObject:
    """The text alone, in the syntax that it is written in."""
    inner = params.get("subActionParams")
    text = inner.get("text") if isinstance(inner, Mapping) else None
    if not isinstance(inner, Mapping) or not isinstance(text, str):
        return params
    match params.get("subAction"):
        case "postMessage":
            return {**params, "subActionParams": {**inner, "text": render(text, "slack")}}
        case "postBlockkit":
            return {**params, "subActionParams": {**inner, "text": render(text, "json")}}
        case _:
            return params


async def execute(run: SlackRun) -> Result:
    """Results name the type where others name the connector: clients of this one know them so."""
    return replace(await _carry_out(run), connector_id=TYPE_ID)


async def _carry_out(run: SlackRun) -> Result:
    match run.params:
        case CheckChannel(sub_action_params=ChannelId(channel_id=channel)):
            return await _check_channel(run, channel or "")
        case PostMessage(sub_action_params=message):
            return await _post(run, message, {"text": message.text})
        case PostBlocks(sub_action_params=message):
            return await _post(run, message, {"blocks": message.blocks})
        case Params(sub_action=unknown):
            raise RunFailed(f"{EXTERNAL_SERVICE} Unsupported subAction type {unknown}.")
        case _:
            raise RunFailed(f"{EXTERNAL_SERVICE} subAction not implemented.")


async def _check_channel(run: SlackRun, channel_id: str) -> Result:
    if not channel_id:
        return Failed(message=FAILED, service_message="The channel id is empty")
    url = f"{BASE_URL}conversations.info?{urlencode({'channel': channel_id}, errors='replace')}"
    return await _call(run, OutgoingRequest(method="GET", url=url, headers=_headers(run)))


async def _post(run: SlackRun, posting: Posting, content: JsonObject) -> Result:
    choice = _channel(posting, run.config.allowed_channels or ())
    if isinstance(choice, Unposted):
        return Failed(message=FAILED, service_message=choice.why)
    body = compact({"channel": choice, **content}).encode(errors="replace")
    url = f"{BASE_URL}chat.postMessage"
    return await _call(run, OutgoingRequest(method="POST", url=url, headers=_headers(run), body=body))


@dataclass(frozen=True, slots=True)
class Unposted:
    """Why there is no channel to post to."""

    why: str


def _channel(posting: Posting, allowed: Sequence[Channel]) -> str | Unposted:
    names, ids, legacy = posting.channel_names or [], posting.channel_ids or [], posting.channels or []
    if names or ids:
        if allowed and not _all_allowed(names, ids, allowed):
            return Unposted("One or more provided channels are not included in the allowed channels list")
        return (names + ids)[0]
    return (
        legacy[0]
        if legacy
        else Unposted("One of channels, channelIds, or channelNames is required and cannot be empty")
    )


def _all_allowed(names: Sequence[str], ids: Sequence[str], allowed: Sequence[Channel]) -> bool:
    """Names are the same with and without the `#` that they start with."""
    allowed_names = {channel.name.removeprefix("#") for channel in allowed}
    allowed_ids = {channel.id for channel in allowed}
    return all(name.removeprefix("#") in allowed_names for name in names) and all(each in allowed_ids for each in ids)


def _headers(run: SlackRun) -> dict[str, str]:
    return {"Authorization": f"Bearer {run.secrets.token}", "Content-type": "application/json; charset=UTF-8"}


async def _call(run: SlackRun, request: OutgoingRequest) -> Result:
    try:
        response = await run.egress.send(request)
    except EgressFailed as failure:
        return no_answer(request, failure, FAILED, service_message=failure.message)
    if 200 <= response.status < 300:
        return _answered(run, request, response)
    return refused_by_slack(request, response, run.now(), tells_status=False)


def _answered(run: SlackRun, request: OutgoingRequest, response: OutgoingResponse) -> Result:
    """Slack says in the body whether it did what was asked."""
    answer = parsed_or_text(response.body)
    if isinstance(answer, Mapping) and answer.get("ok") is True:
        return Succeeded(data=answer, request_body_bytes=sent_bytes(request))
    error = answer.get("error") if isinstance(answer, Mapping) else answer
    told = error if isinstance(error, str | None) else compact(error)
    return unwelcome_answer(request, response, run.now(), FAILED, service_message=told)


SLACK_API: ConnectorType[Config, Secrets, Schema] = ConnectorType(
    id=TYPE_ID,
    name="Slack API",
    minimum_license="gold",
    feature_ids=("alerting", "uptime", "siem", "workflows"),
    config=Config,
    secrets=Secrets,
    params=Params,
    params_of=params_of,
    execute=execute,
    check_secrets=check_secrets,
    render_params=render_params,
    sub_actions=(
        SubActionInfo(name="validChannelId", title="Check a channel id", params=ChannelId),
        SubActionInfo(name="postMessage", title="Post a message", params=Message),
        SubActionInfo(name="postBlockkit", title="Post blocks", params=Blocks),
    ),
    example=TypeExample(
        config={"allowedChannels": [{"name": "#ops"}]},
        secrets={"token": "xoxb-made-up"},
        params={
            "subAction": "postMessage",
            "subActionParams": {"channelNames": ["#ops"], "text": "Disk almost full"},
        },
    ),
)
