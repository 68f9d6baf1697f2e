"""Alerts as Opsgenie and Jira Service Management have them: what both types share."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal, TypeAlias, TypeVar
from urllib.parse import quote, urlsplit

from annotated_types import MaxLen, MinLen
from pydantic import AfterValidator

from connectory.connector_types.json_text import compact
from connectory.connector_types.schemas import Absentable, Answer, Schema, SecretSchema, about, own_rule
from connectory.connector_types.services import HttpFailure, Service, answer_json
from connectory.connector_types.sub_actions import SubAction, SubActions, allow_listed
from connectory.connector_types.templating import Render, render_object
from connectory.domain.json_types import Json, JsonObject

SENT_MESSAGE_LENGTH: Final = 130
LONGEST_ALIAS: Final = 512
RULE_TAGS: Final = "{{rule.tags}}"
IN_A_PATH: Final = "!$&'()*+,;=:@"
"""Besides letters, digits and `-._~`: what may stand in a segment of a path as it is (RFC 3986, section 3.3)."""

log = logging.getLogger(__name__)

N = TypeVar("N", bound="NewAlert")


class Config(Schema):
    api_url: Annotated[str, about("URL", "Of the API; its path is not used")]


class Secrets(SecretSchema):
    api_key: Annotated[str, about("API key", "Of an API integration")]


AlertService: TypeAlias = Service[Config, Secrets]

check_config = allow_listed("api_url")


def _with_words(message: str) -> str:
    if not message.strip():
        raise own_rule("must be populated with a value other than just whitespace")
    return message


class NewAlert(Schema):
    message: Annotated[str, MinLen(1), MaxLen(15_000), AfterValidator(_with_words), about("Message")]
    alias: Annotated[Absentable[str], about("Alias", "Alerts with the same one are one alert")] = None
    description: Annotated[Absentable[Annotated[str, MaxLen(15_000)]], about("Description", widget="multiline")] = None
    entity: Annotated[Absentable[Annotated[str, MaxLen(512)]], about("Entity")] = None
    source: Annotated[Absentable[Annotated[str, MaxLen(100)]], about("Source")] = None
    user: Annotated[Absentable[Annotated[str, MaxLen(100)]], about("User")] = None
    note: Annotated[Absentable[Annotated[str, MaxLen(25_000)]], about("Note", widget="multiline")] = None
    priority: Annotated[Absentable[Literal["P1", "P2", "P3", "P4", "P5"]], about("Priority")] = None
    details: Annotated[Absentable[dict[str, str]], about("Details")] = None
    actions: Annotated[Absentable[Annotated[list[Annotated[str, MaxLen(50)]], MaxLen(10)]], about("Actions")] = None
    tags: Annotated[Absentable[Annotated[list[Annotated[str, MaxLen(50)]], MaxLen(20)]], about("Tags")] = None

    async def send(self, service: AlertService, path: str, answer: type[Answer]) -> Answer:
        data = _given(self)
        if len(self.message) > SENT_MESSAGE_LENGTH:
            log.warning("the message of an alert has %d characters and is cut to 130", len(self.message))
            data["message"] = self.message[:SENT_MESSAGE_LENGTH]
        if self.alias is not None:
            data["alias"] = sent_alias(self.alias)
        return await service.request("POST", _url(service, path), answer, data=data, headers=_key(service))


class CloseAlert(Schema):
    alias: Annotated[str, about("Alias")]
    user: Annotated[Absentable[Annotated[str, MaxLen(100)]], about("User")] = None
    source: Annotated[Absentable[Annotated[str, MaxLen(100)]], about("Source")] = None
    note: Annotated[Absentable[Annotated[str, MaxLen(25_000)]], about("Note", widget="multiline")] = None

    async def send(self, service: AlertService, path: str, answer: type[Answer]) -> Answer:
        data = _given(self)
        del data["alias"]
        url = _url(
            service, f"{path}/{quote(sent_alias(self.alias), IN_A_PATH, errors='replace')}/close?identifierType=alias"
        )
        return await service.request("POST", url, answer, data=data, headers=_key(service))


def alert_sub_actions(
    type_id: str, type_name: str, path: str, new_alert: type[N], answer: type[Answer]
) -> SubActions[Config, Secrets]:
    """`path` is that of alerts at the origin of the API; `answer` is the schema of what it says to a request."""

    async def create(service: AlertService, params: N) -> Json:
        return answer_json(await params.send(service, path, answer))

    async def close(service: AlertService, params: CloseAlert) -> Json:
        return answer_json(await params.send(service, path, answer))

    return SubActions(
        type_id=type_id,
        type_name=type_name,
        actions=[
            SubAction(name="createAlert", title="Create an alert", params=new_alert, run=create),
            SubAction(name="closeAlert", title="Close an alert", params=CloseAlert, run=close),
        ],
        describe=describe,
    )


def sent_alias(alias: str) -> str:
    """One that is too long is known by its digest."""
    return alias if len(alias) <= LONGEST_ALIAS else f"sha-{hashlib.sha256(alias.encode(errors='replace')).hexdigest()}"


def describe(failure: HttpFailure) -> str:
    body = failure.body if isinstance(failure.body, Mapping) else {}
    text = body.get("message") or failure.message or "unknown error"
    errors = body.get("errors")
    return f"{text}: {compact(errors)}" if errors else str(text)


def render_params(params: JsonObject, render: Render) -> JsonObject:
    """An entry for the tags of a rule stands for as many entries as the rule has tags that are texts."""
    rendered = dict(render_object(params, render))
    given, inner = params.get("subActionParams"), rendered.get("subActionParams")
    if not isinstance(given, Mapping) or not isinstance(inner, Mapping):
        return rendered
    tags = given.get("tags")
    if isinstance(tags, Sequence) and not isinstance(tags, str) and RULE_TAGS in tags:
        others = [render(tag) if isinstance(tag, str) else tag for tag in tags if tag != RULE_TAGS]
        rendered["subActionParams"] = {**inner, "tags": [*others, *_rule_tags(render.variables)]}
    return rendered


def _rule_tags(variables: JsonObject) -> Sequence[str]:
    rule = variables.get("rule")
    tags = rule.get("tags") if isinstance(rule, Mapping) else variables.get("rule.tags")
    if isinstance(tags, str) or not isinstance(tags, Sequence):
        return ()
    return [tag for tag in tags if isinstance(tag, str)]


def _given(params: Schema) -> dict[str, Json]:
    return params.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _url(service: AlertService, path: str) -> str:
    """The path at the origin: whatever path the configured URL has is dropped."""
    try:
        parts = urlsplit(service.config.api_url)
    except ValueError:  # the service says what is wrong with it
        return service.config.api_url
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}"


def _key(service: AlertService) -> Mapping[str, str]:
    return {"Authorization": f"GenieKey {service.secrets.api_key}"}
