"""The connector types: one file a type, and one line each in `ALL`.

The order here is the order of registration, which the list of types keeps.
"""

from connectory.connector_types.contract import AnyConnectorType
from connectory.connector_types.gen_ai import GEN_AI
from connectory.connector_types.http import HTTP
from connectory.connector_types.index import INDEX
from connectory.connector_types.jira import JIRA
from connectory.connector_types.jira_service_management import JIRA_SERVICE_MANAGEMENT
from connectory.connector_types.mail import EMAIL
from connectory.connector_types.opsgenie import OPSGENIE
from connectory.connector_types.pagerduty import PAGERDUTY
from connectory.connector_types.server_log import SERVER_LOG
from connectory.connector_types.slack import SLACK
from connectory.connector_types.slack_api import SLACK_API
from connectory.connector_types.teams import TEAMS
from connectory.connector_types.webhook import WEBHOOK

ALL: tuple[AnyConnectorType, ...] = (
    SERVER_LOG,
    INDEX,
    WEBHOOK,
    HTTP,
    EMAIL,
    SLACK,
    SLACK_API,
    TEAMS,
    PAGERDUTY,
    OPSGENIE,
    JIRA_SERVICE_MANAGEMENT,
    JIRA,
    GEN_AI,
)
