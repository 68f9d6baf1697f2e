"""How the clients of a log reach the cluster: addresses, TLS, SASL, and the times they wait."""

import ssl
from pathlib import Path
from typing import Any

from connectory.domain.errors import SettingsInvalid
from connectory.infra.settings import KafkaSettings

REQUEST_SECONDS = 10.0
"""How long a request may take before it is tried again."""

DELIVERY_SECONDS = 15.0
"""How long a write, a transaction's end, or a question may take, all tries included, before it is `Unavailable`."""

RETRY_SECONDS = 0.2
"""The wait between two tries."""


class Connection:
    """Options for the library's clients, and names with the prefix."""

    def __init__(self, settings: KafkaSettings) -> None:
        if settings.bootstrap_servers is None:
            raise SettingsInvalid("connectory.kafka.bootstrapServers is not set: say where Kafka is, as host:port")
        self.servers = settings.bootstrap_servers
        self.prefix = settings.topic_prefix
        self._settings = settings
        self._ssl_context = _ssl_context(settings)

    def options(self, **more: object) -> dict[str, Any]:
        """Arguments that every client of the library takes, overridden or completed by `more`."""
        settings = self._settings
        password = settings.sasl_password
        return {
            "bootstrap_servers": self.servers,
            "client_id": "connectory",
            "security_protocol": settings.security_protocol,
            "sasl_mechanism": settings.sasl_mechanism,
            "sasl_plain_username": settings.sasl_username,
            "sasl_plain_password": password.get_secret_value() if password else None,
            "ssl_context": self._ssl_context,
            "request_timeout_ms": milliseconds(REQUEST_SECONDS),
            "retry_backoff_ms": milliseconds(RETRY_SECONDS),
            **more,
        }

    def prefixed(self, name: str) -> str:
        return self.prefix + name


def milliseconds(seconds: float) -> int:
    return int(seconds * 1000)


def _ssl_context(settings: KafkaSettings) -> ssl.SSLContext | None:
    if "SSL" not in settings.security_protocol.split("_"):
        return None
    try:
        context = _with_files(settings)
    except OSError as error:  # an SSLError is one
        raise SettingsInvalid(
            "The files of connectory.kafka.ssl cannot be used: name readable PEM files in caFile, certificateFile and "
            f"keyFile ({', '.join(map(str, _files(settings)))}: {error.strerror or error})"
        ) from None
    context.check_hostname = settings.ssl_verification_mode == "full"
    if settings.ssl_verification_mode == "none":
        context.verify_mode = ssl.CERT_NONE
    return context


def _with_files(settings: KafkaSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.ssl_ca_file)
    if settings.ssl_certificate_file is not None:
        password = settings.ssl_key_password
        context.load_cert_chain(
            settings.ssl_certificate_file, settings.ssl_key_file, password.get_secret_value() if password else None
        )
    return context


def _files(settings: KafkaSettings) -> list[Path]:
    named = (settings.ssl_ca_file, settings.ssl_certificate_file, settings.ssl_key_file)
    return [path for path in named if path is not None]
