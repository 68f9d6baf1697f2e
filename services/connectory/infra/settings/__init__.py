"""What an operator can set. Each setting is declared once, in `model`; `load_settings` reads the sources."""

from connectory.infra.settings.loading import load_settings
from connectory.infra.settings.model import (
    ActionsSettings,
    ConnectorTypeOverride,
    DatabaseSettings,
    EgressSettings,
    EncryptionSettings,
    EventLogSettings,
    ExecutorSettings,
    GatewaySettings,
    HttpSettings,
    KafkaSettings,
    RateLimitRule,
    SchemaRegistrySettings,
    SecuritySettings,
    ServerSettings,
    Settings,
)

__all__ = [
    "ActionsSettings",
    "ConnectorTypeOverride",
    "DatabaseSettings",
    "EgressSettings",
    "EncryptionSettings",
    "EventLogSettings",
    "ExecutorSettings",
    "GatewaySettings",
    "HttpSettings",
    "KafkaSettings",
    "RateLimitRule",
    "SchemaRegistrySettings",
    "SecuritySettings",
    "ServerSettings",
    "Settings",
    "load_settings",
]
