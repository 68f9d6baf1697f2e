"""`.opsgenie`: creates and closes alerts (Alert API v2). `.jira-service-management` has the same alerts."""

from typing import Annotated, Literal

from annotated_types import MaxLen
from pydantic import Field

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

ALERTS = "/v2/alerts"

ResponderType = Literal["team", "user", "escalation", "schedule"]


class ResponderByName(Schema):
    name: str
    type: ResponderType


class ResponderById(Schema):
    id: str
    type: ResponderType


class UserByName(Schema):
    username: str
    type: Literal["user"]


class TeamByName(Schema):
    name: str
    type: Literal["team"]


class TeamById(Schema):
    id: str
    type: Literal["team"]


class UserById(Schema):
    id: str
    type: Literal["user"]


class CreateAlert(NewAlert):
    responders: Annotated[
        Absentable[Annotated[list[ResponderByName | ResponderById | UserByName], MaxLen(50)]],
        about("Responders", "Who is notified", widget="json"),
    ] = None
    visible_to: Annotated[
        Absentable[Annotated[list[TeamByName | TeamById | UserById | UserByName], MaxLen(50)]],
        about("Visible to", "Who sees the alert without being notified", widget="json"),
    ] = None


class Accepted(Answer):
    took: Number
    request_id: str = Field(alias="requestId")
    result: str


SUB_ACTIONS = alert_sub_actions(".opsgenie", "Opsgenie", ALERTS, CreateAlert, Accepted)

OPSGENIE = ConnectorType(
    id=".opsgenie",
    name="Opsgenie",
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
        config={"apiUrl": "https://api.opsgenie.com"},
        secrets={"apiKey": "made-up-key"},
        params={
            "subAction": "createAlert",
            "subActionParams": {"message": "Disk almost full", "alias": "disk-1", "priority": "P2"},
        },
    ),
)
