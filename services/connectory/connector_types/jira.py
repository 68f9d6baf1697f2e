"""`.jira`: opens, updates and comments issues of a project, and tells what a form needs to know of it."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, model_validator

from connectory.connector_types.cases import Comment, PushedCase, push_to_service
from connectory.connector_types.contract import ConnectorType, Run, RunFailed, SubActionInfo, TypeExample, TypeSettings
from connectory.connector_types.jira_issues import NAME, Jira
from connectory.connector_types.moments import parse_moment
from connectory.connector_types.schemas import OR_JSON_TEXT, Nothing, Schema, SecretSchema, about, own_rule
from connectory.domain.execution import Result, Succeeded
from connectory.domain.json_types import Json, JsonObject

MOST_OTHER_FIELDS: Final = 20
EXTERNAL_SERVICE: Final = "[Action][ExternalService]"
_LINE_BREAKS: Final = re.compile(r"[\n\r]")


class Config(Schema):
    api_url: Annotated[str, about("URL", "Of the Jira site")]
    project_key: Annotated[str, about("Project key")]


class Secrets(SecretSchema):
    email: Annotated[str, about("Email address", shown=True)]
    api_token: Annotated[str, about("API token", "Of the user with that address")]


def _without_spaces(label: str) -> str:
    if re.search(r"\s", label):
        raise own_rule(f"The label {label} cannot contain spaces")
    return label


def _few(fields: dict[str, Any]) -> dict[str, Any]:
    if len(fields) > MOST_OTHER_FIELDS:
        raise own_rule(f"A maximum of {MOST_OTHER_FIELDS} otherFields can be updated at a time.")
    return fields


class Incident(Schema):
    summary: Annotated[str, about("Summary")]
    description: Annotated[str | None, about("Description", widget="multiline")] = None
    external_id: Annotated[str | None, about("Issue id", "Of an issue that is updated")] = None
    issue_type: Annotated[str | None, about("Issue type", "Its id; the first one of the project without it")] = None
    priority: Annotated[str | None, about("Priority", "Its name")] = None
    parent: Annotated[str | None, about("Parent issue", "Its key")] = None
    labels: Annotated[list[Annotated[str, AfterValidator(_without_spaces)]] | None, about("Labels")] = None
    other_fields: Annotated[
        Annotated[dict[str, Any], AfterValidator(_few)] | None,
        OR_JSON_TEXT,
        about("Other fields", "By their ids in Jira", widget="json"),
    ] = None

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        twice = NAMED_FIELDS.intersection(self.other_fields or ())
        if twice:
            raise own_rule(f"The following properties cannot be defined inside otherFields: {', '.join(sorted(twice))}")
        return self

    @property
    def fields(self) -> JsonObject:
        """What Jira is told: what is null or empty is not mentioned, other fields have the last word."""
        named: dict[str, Json] = {
            "summary": ", ".join(filter(None, map(str.strip, _LINE_BREAKS.split(self.summary)))),
            "issuetype": {"id": self.issue_type} if self.issue_type else None,
            "description": self.description or None,
            "labels": self.labels,
            "priority": {"name": self.priority} if self.priority else None,
            "parent": {"key": self.parent} if self.parent else None,
        }
        return {name: value for name, value in named.items() if value is not None} | (self.other_fields or {})


NAMED_FIELDS: Final = frozenset(
    {"summary", "description", "externalId", "issueType", "priority", "parent", "labels", "otherFields"}
)


class Push(Schema):
    incident: Incident
    comments: list[Comment] | None = None


class ExternalId(Schema):
    external_id: str


class Id(Schema):
    id: str


class Title(Schema):
    title: str


class Params(Schema):
    """Of any sub-action; those that are known have schemas of their own."""

    sub_action: str
    sub_action_params: dict[str, Any]


class PushToService(Schema):
    sub_action: str
    sub_action_params: Push


class GetIncident(Schema):
    sub_action: str
    sub_action_params: ExternalId


class WithoutParams(Schema):
    sub_action: str
    sub_action_params: Nothing


class ById(Schema):
    sub_action: str
    sub_action_params: Id


class ByTitle(Schema):
    sub_action: str
    sub_action_params: Title


JiraRun = Run[Config, Secrets, Schema]

SCHEMAS: Final[Mapping[str, type[Schema]]] = {
    "pushToService": PushToService,
    "getIncident": GetIncident,
    "issueTypes": WithoutParams,
    "getFields": WithoutParams,
    "handshake": WithoutParams,
    "fieldsByIssueType": ById,
    "issue": ById,
    "issues": ByTitle,
}


def params_of(params: JsonObject) -> type[Schema]:
    name = params.get("subAction")
    return SCHEMAS.get(name, Params) if isinstance(name, str) else Params


def check_config(config: Config, settings: TypeSettings) -> str | None:
    problem = settings.hosts.check_url(config.api_url)
    return f"error configuring connector action: {problem}" if problem else None


async def execute(run: JiraRun) -> Result:
    config, secrets = run.config, run.secrets
    if not all((config.api_url, config.project_key, secrets.email, secrets.api_token)):
        raise RunFailed(f"[Action]{NAME}: Wrong configuration.")
    jira = Jira(
        egress=run.egress,
        now=run.now,
        url=config.api_url,
        project=config.project_key,
        email=secrets.email,
        token=secrets.api_token,
    )
    try:
        data = await _carried_out(jira, run)
    except RunFailed as failure:
        failure.undelivered = failure.undelivered and not jira.has_changed
        raise
    return Succeeded(data=data, request_body_bytes=jira.sent_bytes)


async def _carried_out(jira: Jira, run: JiraRun) -> Json:
    match run.params:
        case PushToService(sub_action_params=push):
            return await _push(jira, push, run)
        case GetIncident(sub_action_params=ExternalId(external_id=issue_id)):
            return await jira.incident(issue_id)
        case ByTitle(sub_action_params=Title(title=title)):
            return await jira.search(title)
        case ById(sub_action=name, sub_action_params=Id(id=issue_id)):
            return await (jira.issue(issue_id) if name == "issue" else jira.fields_of_type(issue_id))
        case WithoutParams(sub_action=name) if name in _WITHOUT_PARAMS:
            return await _WITHOUT_PARAMS[name](jira)
        case Params(sub_action=name):
            raise RunFailed(f"{EXTERNAL_SERVICE} Unsupported subAction type {name}.")
        case other:
            name = getattr(other, "sub_action", "")
            raise RunFailed(f"{EXTERNAL_SERVICE} subAction {name} not implemented.")


async def _issue_types(jira: Jira) -> Json:
    return await jira.issue_types()


async def _fields(jira: Jira) -> Json:
    """Those that issues of every type have."""
    of_types = [await jira.fields_of_type(str(each["id"])) for each in await jira.issue_types()]
    last = of_types[-1] if of_types else {}
    return {name: field for name, field in last.items() if all(name in fields for fields in of_types)}


_WITHOUT_PARAMS: Final[Mapping[str, Callable[[Jira], Awaitable[Json]]]] = {
    "issueTypes": _issue_types,
    "getFields": _fields,
}


async def _push(jira: Jira, push: Push, run: JiraRun) -> Json:
    fields = push.incident.fields

    async def create() -> PushedCase:
        return _pushed(jira, await jira.incident(await jira.create(fields)), "created", run)

    async def update(issue_id: str) -> PushedCase:
        await jira.update(issue_id, fields)
        return _pushed(jira, await jira.incident(issue_id), "updated", run)

    async def comment(issue_id: str, each: Comment) -> Any:
        return parse_moment(await jira.comment(issue_id, each.comment)) or run.now()

    return await push_to_service(
        external_id=push.incident.external_id,
        create=create,
        update=update,
        comments=push.comments,
        add_comment=comment,
        skip_empty_comments=True,
    )


def _pushed(jira: Jira, issue: JsonObject, time: str, run: JiraRun) -> PushedCase:
    key = str(issue["key"])
    moment = parse_moment(str(issue[time])) or run.now()
    return PushedCase(id=str(issue["id"]), title=key, url=jira.view_url(key), pushed_at=moment)


JIRA: ConnectorType[Config, Secrets, Schema] = ConnectorType(
    id=".jira",
    name="Jira",
    minimum_license="gold",
    feature_ids=("alerting", "cases", "uptime", "siem", "workflows"),
    config=Config,
    secrets=Secrets,
    params=Params,
    params_of=params_of,
    execute=execute,
    check_config=check_config,
    sub_actions=(
        SubActionInfo(name="pushToService", title="Open or update an issue", params=Push),
        SubActionInfo(name="getIncident", title="Get an issue with its fields", params=ExternalId),
        SubActionInfo(name="issueTypes", title="List issue types", params=Nothing),
        SubActionInfo(name="fieldsByIssueType", title="List fields of an issue type", params=Id),
        SubActionInfo(name="getFields", title="List fields of every issue type", params=Nothing),
        SubActionInfo(name="issues", title="Find issues by title", params=Title),
        SubActionInfo(name="issue", title="Get an issue", params=Id),
    ),
    example=TypeExample(
        config={"apiUrl": "https://example.atlassian.net", "projectKey": "OPS"},
        secrets={"email": "ops@example.com", "apiToken": "made-up-token"},
        params={
            "subAction": "pushToService",
            "subActionParams": {"incident": {"summary": "Disk almost full", "labels": ["disk"]}, "comments": []},
        },
    ),
)
