"""What an operator can set. Each setting is declared once, beside its group; `load_settings` reads the sources."""

from connectory.infra.settings.actions import ActionsSettings, ConnectorTypeOverride, OAuthSettings
from connectory.infra.settings.custom_hosts import CustomHost, custom_hosts
from connectory.infra.settings.egress import EgressSettings, ProxySettings
from connectory.infra.settings.email import EmailSettings, RunRate
from connectory.infra.settings.kibana import (
    EncryptionSettings,
    SavedObjectsSettings,
    ServerSettings,
    SpacesSettings,
    TaskManagerSettings,
)
from connectory.infra.settings.loading import load_settings
from connectory.infra.settings.model import Settings
from connectory.infra.settings.preconfigured import PreconfiguredEntry, PreconfiguredSettings
from connectory.infra.settings.running import EventLogSettings, ExecutorSettings, GatewaySettings, RateLimitRule
from connectory.infra.settings.security import SecuritySettings
from connectory.infra.settings.servers import DatabaseSettings, HttpSettings, KafkaSettings, SchemaRegistrySettings

__all__ = [
    "ActionsSettings",
    "ConnectorTypeOverride",
    "CustomHost",
    "DatabaseSettings",
    "EgressSettings",
    "EmailSettings",
    "EncryptionSettings",
    "EventLogSettings",
    "ExecutorSettings",
    "GatewaySettings",
    "HttpSettings",
    "KafkaSettings",
    "OAuthSettings",
    "PreconfiguredEntry",
    "PreconfiguredSettings",
    "ProxySettings",
    "RateLimitRule",
    "RunRate",
    "SavedObjectsSettings",
    "SchemaRegistrySettings",
    "SecuritySettings",
    "ServerSettings",
    "Settings",
    "SpacesSettings",
    "TaskManagerSettings",
    "custom_hosts",
    "load_settings",
]
