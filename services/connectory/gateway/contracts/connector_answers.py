"""How connectors, their types and results of runs look on the wire. What is made into them: `connector_json`."""

from typing import Any, Literal, NotRequired, TypeAlias

from pydantic import with_config
from typing_extensions import TypedDict

JsonRecord: TypeAlias = dict[str, Any]
AuthMode: TypeAlias = Literal["shared", "per-user"]
LicenseTier: TypeAlias = Literal["basic", "standard", "gold", "platinum", "enterprise", "trial"]


class _Connector(TypedDict):
    """What every form of a connector has. In-memory ones have neither config, unless it is exposed, nor secrets."""

    id: str
    connector_type_id: str
    name: str
    is_preconfigured: bool
    is_system_action: bool
    is_deprecated: bool
    is_connector_type_deprecated: bool
    config: NotRequired[JsonRecord]
    is_missing_secrets: NotRequired[bool]


@with_config(extra="forbid")
class ChangedConnector(_Connector):
    """A connector as a create or an update answers it."""

    auth_mode: NotRequired[AuthMode]


@with_config(extra="forbid")
class ShownConnector(_Connector):
    """A connector as a get answers it."""

    auth_mode: AuthMode


@with_config(extra="forbid")
class ListedConnector(_Connector):
    """A connector in a list."""

    auth_mode: AuthMode
    referenced_by_count: int


@with_config(extra="forbid")
class ShownConnectorType(TypedDict):
    """A connector type: whether it can be used, and for what."""

    id: str
    name: str
    enabled: bool
    enabled_in_config: bool
    enabled_in_license: bool
    minimum_license_required: LicenseTier
    supported_feature_ids: list[str]
    is_system_action_type: bool
    is_deprecated: bool
    source: Literal["stack", "spec", "yml"]
    sub_feature: NotRequired[Literal["endpointSecurity"]]
    allow_multiple_system_actions: NotRequired[bool]
    description: NotRequired[str]
    is_experimental: NotRequired[bool]


@with_config(extra="forbid")
class RunResult(TypedDict):
    """The result of a run. One that failed is a result too."""

    connector_id: str
    status: Literal["ok", "error"]
    data: NotRequired[Any]
    message: NotRequired[str]
    service_message: NotRequired[str]
    retry: NotRequired[bool | str | None]
    errorSource: NotRequired[Literal["user", "framework"]]
