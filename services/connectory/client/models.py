"""The bodies of the HTTP API as values, and the error that it answers with."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from connectory.domain.delivery import DeliveryPolicy
from connectory.domain.errors import ConnectoryError
from connectory.domain.saved_objects import RESOLVABLE


class ApiError(ConnectoryError):
    """An answer that is not a success: `status` is the HTTP status, the message is the server's.

    `attributes` are what programs may want of it, as `command_id` of a change whose outcome is not known.
    """

    code = "api-error"

    def __init__(self, status: int, message: str, attributes: Mapping[str, Any] = MappingProxyType({})) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.attributes = attributes


class QueueFull(ConnectoryError):
    """Not all requests were taken: as many are open as the installation allows. Hand in `refused` again later."""

    code = "queue-full"

    def __init__(self, accepted: list[str], refused: list[str]) -> None:
        super().__init__(f"{len(refused)} of {len(accepted) + len(refused)} requests were not taken: the queue is full")
        self.accepted = accepted
        self.refused = refused


class _Body(BaseModel):
    """Unknown fields are kept out: a newer server may send more than this client knows."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class ConnectorInfo(_Body):
    """A connector as the API shows it. Secrets are never shown; `config` is None on most preconfigured connectors."""

    id: str
    connector_type_id: str
    name: str
    config: dict[str, Any] | None = None
    is_missing_secrets: bool = False
    is_preconfigured: bool = False
    is_deprecated: bool = False
    referenced_by_count: int | None = None
    """How many references there are to it. Only lists tell."""


class ConnectorReference(_Body):
    """Something that uses a connector, in the words of the service that it belongs to."""

    connector_id: str
    type: str
    id: str
    declared_at: datetime
    declared_by: str | None = None


class ReferencePage(_Body):
    items: list[ConnectorReference]
    next_cursor: str | None


class ConnectorSwitch(_Body):
    """Whether requests through a connector run, and its version."""

    id: str
    enabled: bool
    version: int


class ConnectorDelivery(ConnectorSwitch):
    """How requests through a connector run. `version` is what a request may be pinned to."""

    name: str
    connector_type_id: str
    delivery_policy: DeliveryPolicy


class Cancellation(_Body):
    """`cancelled`: the request waited, and does not run. `accepted`: it does not run either, unless it has begun."""

    request_id: str
    status: Literal["cancelled", "accepted"]
    connector_id: str | None = None


class ExecutionResult(_Body):
    """What became of a direct run. A failing target is `status` `error`, not an exception."""

    connector_id: str
    status: Literal["ok", "error"]
    data: Any = None
    message: str | None = None
    service_message: str | None = None
    error_source: str | None = Field(default=None, alias="errorSource")


class ImportedConnector(_Body):
    """`destination_id` is the id that it has here, where that is another."""

    id: str
    destination_id: str | None = Field(default=None, alias="destinationId")
    overwrite: bool = False


class NotImported(_Body):
    """`error` has a `type`: `conflict`, `ambiguous_conflict`, `missing_references`, `unsupported_type` or `unknown`."""

    type: str
    id: str
    error: Mapping[str, Any]

    @property
    def is_resolvable(self) -> bool:
        """Whether the caller can say what is to be done. While there is such an error nothing is written."""
        return self.error["type"] in RESOLVABLE


class ImportResult(_Body):
    """What became of each connector of a file. With a conflict among the `errors` nothing was written."""

    success: bool
    imported: list[ImportedConnector] = Field(default=[], alias="successResults")
    errors: list[NotImported] = []
    warnings: list[Mapping[str, Any]] = []


class EventLogItem(_Body):
    """One entry of the event log. `outcome` is None where nothing has ended; `duration_ms` where nothing ran.

    `final` marks the one that ends the request, `reason` is a stable code for programs. `retry_at` is when the request
    is tried again; `redrive_of` the id of the request that this one repeats.
    """

    at: datetime = Field(alias="@timestamp")
    execution_id: str
    request_id: str
    space_id: str
    connector_id: str
    connector_name: str | None = None
    connector_type_id: str | None = None
    connector_version: int | None = None
    action: str
    outcome: str | None = None
    final: bool = False
    reason: str | None = None
    attempt: int | None = None
    duration_ms: float | None = None
    message: str | None = None
    error: str | None = None
    source: str | None = None
    possible_duplicate: bool = False
    trace_id: str | None = None
    retry_at: datetime | None = None
    redrive_of: str | None = None


class EventLogPage(_Body):
    items: list[EventLogItem]
    next_cursor: str | None = None
