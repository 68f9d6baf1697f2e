"""All settings together: the groups, each declared in a module of its own, and the few that stand alone.

Attributes are grouped by what uses them; the dotted name in each declaration is what operators write. A new group is a
module here and one field below.
"""

import ipaddress
from dataclasses import dataclass
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, model_validator

from connectory.connector_types.contract import License
from connectory.infra.settings.actions import ActionsSettings, OAuthSettings
from connectory.infra.settings.declaration import SettingsGroup, setting
from connectory.infra.settings.egress import EgressSettings, ProxySettings
from connectory.infra.settings.email import EmailSettings
from connectory.infra.settings.kibana import (
    EncryptionSettings,
    SavedObjectsSettings,
    ServerSettings,
    SpacesSettings,
    TaskManagerSettings,
)
from connectory.infra.settings.preconfigured import PreconfiguredSettings
from connectory.infra.settings.running import (
    BreakerSettings,
    EventLogSettings,
    ExecutorSettings,
    GatewaySettings,
    RateLimitRule,
    RetrySettings,
)
from connectory.infra.settings.security import SecuritySettings
from connectory.infra.settings.servers import (
    DatabaseSettings,
    ElasticsearchSettings,
    HttpSettings,
    KafkaSettings,
    SchemaRegistrySettings,
)
from connectory.infra.settings.value_types import ListOf, parse_object

KIBANA_CAPACITY: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """`in_flight` is how many runs an executor carries out at once, `reported` what the health document has for it:
    where nothing is set, that is the number of Kibana. `window_requests` of a partition are read ahead.
    """

    in_flight: int
    reported: int
    window_requests: int


class Settings(SettingsGroup):
    """All settings. `Settings()` is the defaults; `load_settings` reads the sources."""

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    schema_registry: SchemaRegistrySettings = Field(default_factory=SchemaRegistrySettings)
    http: HttpSettings = Field(default_factory=HttpSettings)
    server: ServerSettings = Field(default_factory=ServerSettings)
    gateway: GatewaySettings = Field(default_factory=GatewaySettings)
    executor: ExecutorSettings = Field(default_factory=ExecutorSettings)
    actions: ActionsSettings = Field(default_factory=ActionsSettings)
    preconfigured: PreconfiguredSettings = Field(default_factory=PreconfiguredSettings)
    elasticsearch: ElasticsearchSettings = Field(default_factory=ElasticsearchSettings)
    email: EmailSettings = Field(default_factory=EmailSettings)
    oauth: OAuthSettings = Field(default_factory=OAuthSettings)
    retry: RetrySettings = Field(default_factory=RetrySettings)
    breaker: BreakerSettings = Field(default_factory=BreakerSettings)
    egress: EgressSettings = Field(default_factory=EgressSettings)
    proxy: ProxySettings = Field(default_factory=ProxySettings)
    event_log: EventLogSettings = Field(default_factory=EventLogSettings)
    encryption: EncryptionSettings = Field(default_factory=EncryptionSettings)
    security: SecuritySettings = Field(default_factory=SecuritySettings)
    spaces: SpacesSettings = Field(default_factory=SpacesSettings)
    saved_objects: SavedObjectsSettings = Field(default_factory=SavedObjectsSettings)
    task_manager: TaskManagerSettings = Field(default_factory=TaskManagerSettings)
    license_type: License = setting(
        "connectory.license.type", "enterprise", "Tier that connector types are enabled up to"
    )
    rate_limits: ListOf[Annotated[RateLimitRule, BeforeValidator(parse_object)]] = setting(
        "connectory.rateLimits",
        (),
        "`{requestsPerSecond, burst}` with `connector`, `host` or `connectorType`, for each connector that fits; by id "
        "counts before by host, and that before by type. The connector's own policy counts before all",
    )
    strict_ids: bool = setting(
        "connectory.strict_ids", False, "Whether new ids may hold only lowercase letters, numbers and hyphens"
    )

    @property
    def capacity(self) -> Capacity:
        """What one executor takes on. Its own settings count before those by the names of Kibana's task manager."""
        executor, task_manager = self.executor, self.task_manager
        in_flight = executor.in_flight if "in_flight" in executor.model_fields_set else task_manager.capacity
        window_is_own = "window_requests" in executor.model_fields_set
        return Capacity(
            in_flight=in_flight or executor.in_flight,
            reported=in_flight or KIBANA_CAPACITY,
            window_requests=executor.window_requests if window_is_own else task_manager.request_capacity,
        )

    @model_validator(mode="after")
    def _open_only_on_loopback(self) -> Self:
        if not self.security.enabled and not _is_loopback(self.http.host):
            raise ValueError(
                "[connectory.security.enabled]: false is refused unless connectory.http.host is a loopback address, "
                f"but it is [{self.http.host}]"
            )
        return self


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
