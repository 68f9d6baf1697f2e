"""`.pagerduty`: triggers, acknowledges and resolves alerts by events (Events API v2)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, Self

from annotated_types import MaxLen
from pydantic import Field, model_validator

from connectory.connector_types.calls import json_post, no_answer, sent_bytes, unwelcome_answer, whose_fault
from connectory.connector_types.contract import ConnectorType, EgressFailed, Run, TypeExample, TypeSettings
from connectory.connector_types.json_text import parsed_or_text
from connectory.connector_types.moments import parse_moment
from connectory.connector_types.schemas import OR_JSON_TEXT, Absentable, Schema, SecretSchema, about, own_rule
from connectory.domain.execution import Result, Succeeded, iso_millis
from connectory.domain.json_types import Json

DEFAULT_URL: Final = "https://events.pagerduty.com/v2/enqueue"
ACCEPTED: Final = 202
NEEDS_DEDUP_KEY: Final = frozenset({"resolve", "acknowledge"})
FAILED: Final = "error posting pagerduty event"


class Config(Schema):
    api_url: Annotated[str | None, about("API URL", f"Without it events go to {DEFAULT_URL}")] = None


class Secrets(SecretSchema):
    routing_key: Annotated[str, about("Integration key", "Of an Events API v2 integration of the service")]


class Link(Schema):
    href: Annotated[str, about("URL")]
    text: Annotated[str, about("Text")]


class Params(Schema):
    event_action: Annotated[Absentable[Literal["trigger", "resolve", "acknowledge"]], about("Event action")] = None
    dedup_key: Annotated[
        Absentable[Annotated[str, MaxLen(255)]], about("Dedup key", "Events with the same one are one alert")
    ] = None
    summary: Annotated[Absentable[Annotated[str, MaxLen(1024)]], about("Summary")] = None
    source: Annotated[Absentable[str], about("Source", "What is in trouble")] = None
    severity: Annotated[Absentable[Literal["critical", "error", "warning", "info"]], about("Severity")] = None
    timestamp: Annotated[Absentable[str], about("Time", "Of the event; a whole number is milliseconds since 1970")] = (
        None
    )
    component: Annotated[Absentable[str], about("Component")] = None
    group: Annotated[Absentable[str], about("Group")] = None
    class_: Annotated[Absentable[str], about("Class")] = Field(None, alias="class")
    links: Annotated[Absentable[list[Link]], about("Links")] = None
    custom_details: Annotated[
        Absentable[Annotated[dict[str, Any], OR_JSON_TEXT]],
        about("Custom details", widget="json"),
    ] = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if (self.timestamp or "").strip() and self.moment is None:
            raise own_rule(f'error parsing timestamp "{self.timestamp}"')
        if self.event_action in NEEDS_DEDUP_KEY and not self.dedup_key:
            raise own_rule(f'DedupKey is required when eventAction is "{self.event_action}"')
        return self

    @property
    def moment(self) -> datetime | None:
        """The time of the event; None when it has none."""
        text = (self.timestamp or "").strip()
        if text.isascii() and text.isdecimal():
            return _of_millis(text)
        return parse_moment(text) if text else None


def _of_millis(digits: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(digits) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


PagerDutyRun = Run[Config, Secrets, Params]


def check_config(config: Config, settings: TypeSettings) -> str | None:
    problem = settings.hosts.check_url(config.api_url or DEFAULT_URL)
    return f"error configuring pagerduty action: {problem}" if problem else None


async def execute(run: PagerDutyRun) -> Result:
    request = json_post(
        run.config.api_url or DEFAULT_URL,
        event_of(run.params, run.connector_id),
        headers={"X-Routing-Key": run.secrets.routing_key},
        secret_headers=frozenset({"x-routing-key"}),
    )
    try:
        response = await run.egress.send(request)
    except EgressFailed as failure:
        return no_answer(request, failure, FAILED, service_message=failure.message)
    if response.status == ACCEPTED:
        return Succeeded(data=parsed_or_text(response.body), request_body_bytes=sent_bytes(request))
    temporary = response.status == 429 or response.status >= 500
    told = f"http status {response.status}, retry later" if temporary else f"unexpected status {response.status}"
    return unwelcome_answer(
        request,
        response,
        run.now(),
        f"{FAILED}: {told}",
        retry=True if temporary else None,
        error_source=whose_fault(response),
    )


def event_of(params: Params, connector_id: str) -> Mapping[str, Json]:
    """The body. To resolve and to acknowledge takes a key and nothing else."""
    event: dict[str, Json] = {"event_action": params.event_action or "trigger"}
    if params.dedup_key:
        event["dedup_key"] = params.dedup_key
    if event["event_action"] != "trigger":
        return event
    if params.links is not None:
        event["links"] = [link.model_dump() for link in params.links]
    return {**event, "payload": _payload(params, connector_id)}


def _payload(params: Params, connector_id: str) -> Mapping[str, Json]:
    moment = params.moment
    told = {
        "timestamp": iso_millis(moment) if moment else None,
        "component": params.component,
        "group": params.group,
        "class": params.class_,
        "custom_details": params.custom_details,
    }
    return {
        "summary": params.summary or "No summary provided.",
        "source": params.source or f"Kibana Action {connector_id}",
        "severity": params.severity or "info",
        **{name: value for name, value in told.items() if value is not None},
    }


PAGERDUTY = ConnectorType(
    id=".pagerduty",
    name="PagerDuty",
    minimum_license="gold",
    feature_ids=("alerting", "uptime", "siem", "workflows"),
    config=Config,
    secrets=Secrets,
    params=Params,
    execute=execute,
    check_config=check_config,
    example=TypeExample(
        secrets={"routingKey": "made-up-routing-key"},
        params={"eventAction": "trigger", "dedupKey": "disk-1", "summary": "Disk almost full", "severity": "critical"},
    ),
)
