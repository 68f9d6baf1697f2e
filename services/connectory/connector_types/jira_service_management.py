"""`.jira-service-management`: creates and closes alerts of Jira Service Management's operations."""

from typing import Annotated, Any, Literal

from annotated_types import MaxLen

from connectory.connector_types.alerts import (
    Config,
    NewAlert,
    Secrets,
    alert_sub_actions,
    check_config,
    render_params,
)
from connectory.connector_types.contract import ConnectorType, TypeExample
from connectory.connector_types.schemas import Absentable, Answer, Number, Schema, about
from connectory.connector_types.sub_actions import SubActionParams

ALERTS = "/jsm/ops/integration/v2/alerts"


class Responder(Schema):
    id: str
    type: Literal["team", "user", "escalation", "schedule"]


class Viewer(Schema):
    id: str
    type: Literal["team", "user"]


class CreateAlert(NewAlert):
    responders: Annotated[
        Absentable[Annotated[list[Responder], MaxLen(50)]], about("Responders", "Who is notified", widget="json")
    ] = None
    visible_to: Annotated[
        Absentable[Annotated[list[Viewer], MaxLen(50)]],
        about("Visible to", "Who sees the alert without being notified", widget="json"),
    ] = None


class Answered(Answer):
    """Either that the request was taken, or a code with errors."""

    took: Number | None = None
    result: str | None = None
    code: Any = None
    errors: list[dict[str, Any]] | None = None


SUB_ACTIONS = alert_sub_actions(".jira-service-management", "Jira Service Management", ALERTS, CreateAlert, Answered)

JIRA_SERVICE_MANAGEMENT = ConnectorType(
    id=".jira-service-management",
    name="Jira Service Management",
    minimum_license="platinum",
    feature_ids=("alerting", "uptime", "siem", "workflows", "agentBuilder"),
    config=Config,
    secrets=Secrets,
    params=SubActionParams,
    execute=SUB_ACTIONS.execute,
    sub_actions=SUB_ACTIONS.infos,
    check_config=check_config,
    render_params=render_params,
    example=TypeExample(
        config={"apiUrl": "https://api.atlassian.com"},
        secrets={"apiKey": "made-up-key"},
        params={"subAction": "closeAlert", "subActionParams": {"alias": "disk-1"}},
    ),
)
