"""What programs beside Connectory import: services that publish action requests, and readers of their outcomes.

`ActionRequestPublisher` and `OutcomeConsumer` speak Kafka, `ConnectoryClient` speaks HTTP. `RunningSystem` finds the
addresses of a `connectory up` on this machine. Everything public is exported here.
"""

from connectory.client.api import ConnectoryClient
from connectory.client.connect import open_log
from connectory.client.models import (
    ApiError,
    Cancellation,
    ConnectorDelivery,
    ConnectorInfo,
    ConnectorReference,
    ConnectorSwitch,
    EventLogItem,
    ExecutionResult,
    ImportedConnector,
    ImportResult,
    NotImported,
    QueueFull,
)
from connectory.client.outcomes import BEGINNING, NOW, OutcomeConsumer, Start
from connectory.client.publisher import ActionRequestPublisher
from connectory.client.requests import NewActionRequest, RelatedObject, RequestInvalid, check_request, read_requests
from connectory.domain.delivery import DeliveryPolicy
from connectory.infra.running_system import NotRunning, RunningSystem

__all__ = [
    "BEGINNING",
    "NOW",
    "ActionRequestPublisher",
    "ApiError",
    "Cancellation",
    "ConnectorDelivery",
    "ConnectorInfo",
    "ConnectorReference",
    "ConnectorSwitch",
    "ConnectoryClient",
    "DeliveryPolicy",
    "EventLogItem",
    "ExecutionResult",
    "ImportResult",
    "ImportedConnector",
    "NewActionRequest",
    "NotImported",
    "NotRunning",
    "OutcomeConsumer",
    "QueueFull",
    "RelatedObject",
    "RequestInvalid",
    "RunningSystem",
    "Start",
    "check_request",
    "open_log",
    "read_requests",
]
