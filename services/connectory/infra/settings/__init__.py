"""What an operator can set. Each setting is declared once, beside its group; `load_settings` reads the sources."""

from connectory.infra.settings.actions import ActionsSettings, ConnectorTypeOverride
from connectory.infra.settings.custom_hosts import CustomHost, custom_hosts
from connectory.infra.settings.egress import EgressSettings, ProxySettings
from connectory.infra.settings.kibana import EncryptionSettings, ServerSettings
from connectory.infra.settings.loading import load_settings
from connectory.infra.settings.model import Settings
from connectory.infra.settings.running import EventLogSettings, ExecutorSettings, GatewaySettings, RateLimitRule
from connectory.infra.settings.security import SecuritySettings
from connectory.infra.settings.servers import DatabaseSettings, HttpSettings, KafkaSettings, SchemaRegistrySettings

__all__ = [
    "ActionsSettings",
    "ConnectorTypeOverride",
    "CustomHost",
    "DatabaseSettings",
    "EgressSettings",
    "EncryptionSettings",
    "EventLogSettings",
    "ExecutorSettings",
    "GatewaySettings",
    "HttpSettings",
    "KafkaSettings",
    "ProxySettings",
    "RateLimitRule",
    "SchemaRegistrySettings",
    "SecuritySettings",
    "ServerSettings",
    "Settings",
    "custom_hosts",
    "load_settings",
]
