"""The settings themselves: every one is declared here, and nowhere else.

Attributes are grouped by what uses them; the dotted name in each declaration is what operators write.
"""

import ipaddress
import socket
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from annotated_types import Ge, Gt, Le, MinLen
from pydantic import BeforeValidator, Field, SecretStr, model_validator

from connectory.connector_types.contract import License, VerificationMode
from connectory.domain.rate_limit import FASTEST_RATE, SLOWEST_RATE
from connectory.infra.settings.declaration import SettingsGroup, computed_setting, setting
from connectory.infra.settings.value_types import (
    AddressRange,
    AllowedHost,
    AtLeast,
    ByteSize,
    Duration,
    EncryptionKey,
    ListOf,
    OrUnset,
    Port,
    Positive,
    matching,
    parse_object,
)

Attempts = Annotated[int, Ge(1), Le(10)]
TopicPrefix = Annotated[
    str, matching("^[a-zA-Z0-9._-]{0,100}$", "letters, digits, dots, dashes and underscores, at most 100")
]
BasePath = Annotated[str, matching("^(/[^/]+)*$", "a path that starts with a slash and does not end with one")]
BaseUrl = Annotated[str, matching("^https?://[^/].*[^/]$", "an http or https URL without a slash at the end")]
RegistryUrl = Annotated[str, matching("^https?://[^/]", "an http or https URL")]
DatabaseUrl = Annotated[str, matching("^postgres(ql)?://", "a URL that starts with postgresql://")]


class KafkaSettings(SettingsGroup):
    bootstrap_servers: OrUnset[str] = setting(
        "connectory.kafka.bootstrapServers",
        None,
        "Brokers as `host:port`, separated by commas. Unset: `up` starts an embedded broker",
        variable="KAFKA_BOOTSTRAP_SERVERS",
    )
    topic_prefix: TopicPrefix = setting("connectory.kafka.topicPrefix", "connectory.", "Stands before every topic name")
    partitions: Positive = setting("connectory.kafka.partitions", 6, "Partitions of topics that are created")
    replication_factor: Annotated[int, Ge(1), Le(32767)] = setting(
        "connectory.kafka.replicationFactor", 1, "Copies of each partition of topics that are created"
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = setting(
        "connectory.kafka.securityProtocol", "PLAINTEXT", "How brokers are spoken to"
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = setting(
        "connectory.kafka.sasl.mechanism", "PLAIN", "How the user is proved with a `SASL_` protocol"
    )
    sasl_username: OrUnset[str] = setting(
        "connectory.kafka.sasl.username", None, "User; needed with a `SASL_` protocol"
    )
    sasl_password: SecretStr | None = setting(
        "connectory.kafka.sasl.password", None, "Password; needed with a `SASL_` protocol"
    )
    ssl_ca_file: OrUnset[Path] = setting(
        "connectory.kafka.ssl.caFile",
        None,
        "PEM file of the CAs that brokers are checked by. Unset: those of the system",
    )
    ssl_certificate_file: OrUnset[Path] = setting(
        "connectory.kafka.ssl.certificateFile", None, "PEM file, to prove ours"
    )
    ssl_key_file: OrUnset[Path] = setting(
        "connectory.kafka.ssl.keyFile", None, "PEM file of the key of the certificate"
    )
    ssl_key_password: SecretStr | None = setting("connectory.kafka.ssl.keyPassword", None, "Passphrase of that key")
    ssl_verification_mode: VerificationMode = setting(
        "connectory.kafka.ssl.verificationMode", "full", "`certificate` leaves out the host name, `none` everything"
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.security_protocol.startswith("SASL_") and not (self.sasl_username and self.sasl_password):
            raise ValueError(f"securityProtocol [{self.security_protocol}] needs sasl.username and sasl.password")
        _both_or_neither(self.ssl_certificate_file, self.ssl_key_file)
        return self


class DatabaseSettings(SettingsGroup):
    url: OrUnset[DatabaseUrl] = setting(
        "connectory.database.url",
        None,
        "`postgresql://user:password@host:port/name`. Unset: `up` starts an embedded server",
        variable="DATABASE_URL",
        secret=True,
    )
    pool_max_size: Positive = setting("connectory.database.poolMaxSize", 10, "Most connections of a process")


class SchemaRegistrySettings(SettingsGroup):
    url: OrUnset[RegistryUrl] = setting(
        "connectory.schemaRegistry.url",
        None,
        "A registry with Confluent's HTTP API, whose schema ids are used. Unset: the ids that come with Connectory",
    )
    user: OrUnset[str] = setting("connectory.schemaRegistry.user", None, "User, where the registry wants one")
    password: OrUnset[SecretStr] = setting("connectory.schemaRegistry.password", None, "Password of that user")


class HttpSettings(SettingsGroup):
    host: Annotated[str, MinLen(1)] = setting(
        "connectory.http.host", "127.0.0.1", "Address that the gateway listens on"
    )
    port: Port = setting("connectory.http.port", 5601, "Port that the gateway listens on; 0 takes a free one")
    ssl_certificate_file: OrUnset[Path] = setting(
        "connectory.http.ssl.certificateFile",
        None,
        "PEM file of certificate and chain; with it the gateway speaks HTTPS",
    )
    ssl_key_file: OrUnset[Path] = setting("connectory.http.ssl.keyFile", None, "PEM file of the key of the certificate")
    ssl_key_password: SecretStr | None = setting("connectory.http.ssl.keyPassword", None, "Passphrase of that key")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        _both_or_neither(self.ssl_certificate_file, self.ssl_key_file)
        return self


class ServerSettings(SettingsGroup):
    name: Annotated[str, MinLen(1)] = computed_setting(
        "server.name", socket.gethostname, "host name", "Sent as `kbn-name` on every response"
    )
    base_path: BasePath = setting(
        "server.basePath", "", "Stands before every path; starts with `/`, does not end with it"
    )
    public_base_url: OrUnset[BaseUrl] = setting(
        "server.publicBaseUrl",
        None,
        "Where users reach the gateway, for links, of which there are none yet; no slash at the end",
    )
    max_payload: ByteSize = setting("server.maxPayload", 1_048_576, "Largest request body")
    restrict_internal_apis: bool = setting(
        "server.restrictInternalApis",
        True,
        "Whether internal routes, of which there are none yet, need `x-elastic-internal-origin`",
    )
    xsrf_allowed_schemes: ListOf[Literal["apikey", "bearer"]] = setting(
        "server.xsrf.allowedSchemes", (), "Schemes whose requests need no `kbn-xsrf`; neither can be used yet"
    )


class ConnectorTypeOverride(SettingsGroup):
    """Attempts of one connector type; `id` has its leading dot."""

    id: Annotated[str, MinLen(1)]
    max_attempts: Attempts | None = Field(None, validation_alias="maxAttempts")


class ActionsSettings(SettingsGroup):
    allowed_hosts: ListOf[AllowedHost] = setting(
        "xpack.actions.allowedHosts", ("*",), "Hosts that may be called. `*` anywhere allows all, `[]` none"
    )
    enabled_action_types: ListOf[str] = setting(
        "xpack.actions.enabledActionTypes",
        ("*",),
        "Connector types that may be used: `*`, or ids with their leading dot",
    )
    response_timeout: Annotated[Duration, AtLeast(timedelta(milliseconds=1))] = setting(
        "xpack.actions.responseTimeout", timedelta(seconds=60), "For a whole outgoing call; a connector can lengthen it"
    )
    max_response_content_length: ByteSize = setting(
        "xpack.actions.maxResponseContentLength", 1_048_576, "Largest answer of a target, after decompression"
    )
    ssl_verification_mode: VerificationMode = setting(
        "xpack.actions.ssl.verificationMode", "full", "How certificates of targets are checked"
    )
    run_max_attempts: Attempts | None = setting(
        "xpack.actions.run.maxAttempts",
        None,
        "Most attempts of a queued run, the first one included. Unset: what its type says, or 3",
    )
    run_connector_type_overrides: ListOf[Annotated[ConnectorTypeOverride, BeforeValidator(parse_object)]] = setting(
        "xpack.actions.run.connectorTypeOverrides",
        (),
        "Attempts by type: `{id, maxAttempts}`; the first that fits counts, and before `run.maxAttempts`",
    )
    webhook_pfx_enabled: bool = setting(
        "xpack.actions.webhook.ssl.pfx.enabled", True, "Whether webhooks may use PFX client certificates"
    )
    queued_max: Positive = setting(
        "xpack.actions.queued.max", 1_000_000, "Most queued runs submitted over HTTP. Without effect yet"
    )


class EgressSettings(SettingsGroup):
    block_private_addresses: bool = setting(
        "connectory.egress.blockPrivateAddresses", False, "Whether calls to addresses that are not public are refused"
    )
    allowed_addresses: ListOf[AddressRange] = setting(
        "connectory.egress.allowedAddresses", (), "Addresses that may be called although they are guarded"
    )
    max_redirects: Annotated[int, Ge(0), Le(21)] = setting(
        "connectory.egress.maxRedirects", 21, "Most redirects followed in one call"
    )


class ExecutorSettings(SettingsGroup):
    window_requests: Positive = setting(
        "connectory.executor.windowRequests", 1000, "Requests of a partition read ahead"
    )
    window_bytes: ByteSize = setting("connectory.executor.windowBytes", 16 * 1024**2, "Bytes of a partition read ahead")
    in_flight: Positive = setting("connectory.executor.inFlight", 256, "Actions carried out at once by an executor")
    in_flight_per_connector: Positive = setting(
        "connectory.executor.inFlightPerConnector", 64, "Actions carried out at once through one connector"
    )
    dedupe_window: Duration = setting(
        "connectory.executor.dedupeWindow", timedelta(hours=1), "How long a request id that comes again is recognised"
    )
    run_timeout: Annotated[Duration, AtLeast(timedelta(milliseconds=1))] = setting(
        "connectory.run.timeout", timedelta(minutes=5), "After which a run is cancelled"
    )
    grace: Duration = setting(
        "connectory.executor.grace", timedelta(seconds=10), "Time for what is in flight when an executor stops"
    )


class RetrySettings(SettingsGroup):
    first_delay: Annotated[Duration, AtLeast(timedelta(milliseconds=1))] = setting(
        "connectory.retry.firstDelay",
        timedelta(seconds=10),
        "Longest wait before the second attempt; it doubles with each one, and any part of it is waited at random",
    )
    longest_delay: Annotated[Duration, AtLeast(timedelta(milliseconds=1))] = setting(
        "connectory.retry.longestDelay", timedelta(hours=1), "Where the doubling ends"
    )
    longest_retry_after: Duration = setting(
        "connectory.retry.longestRetryAfter", timedelta(hours=1), "Up to which a target's `Retry-After` is honoured"
    )
    max_age: Annotated[Duration, AtLeast(timedelta(seconds=1))] = setting(
        "connectory.retry.maxAge",
        timedelta(days=1),
        "Age from which a request is not tried again, nor put off any more: it is given up",
    )


class BreakerSettings(SettingsGroup):
    failure_share: Annotated[float, Gt(0), Le(1)] = setting(
        "connectory.breaker.failureShare", 0.5, "Share of failures from which on a connector is left alone for a while"
    )
    window: Positive = setting("connectory.breaker.window", 20, "Latest results of a connector that are looked at")
    minimum: Positive = setting("connectory.breaker.minimum", 5, "Failures that it takes at least")
    first_open: Annotated[Duration, AtLeast(timedelta(milliseconds=1))] = setting(
        "connectory.breaker.firstOpen", timedelta(seconds=10), "How long it is left alone first; then twice as long"
    )
    longest_open: Annotated[Duration, AtLeast(timedelta(milliseconds=1))] = setting(
        "connectory.breaker.longestOpen", timedelta(minutes=5), "Where the doubling ends"
    )


class RateLimitRule(SettingsGroup):
    """A limit for each connector that fits: exactly one of `connector`, `host` and `connectorType` says which."""

    connector: str | None = None
    host: str | None = None
    connector_type: str | None = Field(None, validation_alias="connectorType")
    requests_per_second: Annotated[float, Ge(SLOWEST_RATE), Le(FASTEST_RATE)] = Field(
        validation_alias="requestsPerSecond"
    )
    burst: Annotated[int, Ge(1)] = 1

    @model_validator(mode="after")
    def _one_scope(self) -> Self:
        if [self.connector, self.host, self.connector_type].count(None) != 2:
            raise ValueError("a rate limit is for one of `connector`, `host` and `connectorType`")
        return self


class GatewaySettings(SettingsGroup):
    reply_timeout: Duration = setting(
        "connectory.gateway.replyTimeout", timedelta(seconds=10), "Longest wait for the decision on a change, then 503"
    )
    projection_wait: Duration = setting(
        "connectory.gateway.projectionWait", timedelta(seconds=2), "Longest wait for the read model to show a change"
    )


class EncryptionSettings(SettingsGroup):
    key: EncryptionKey | None = setting(
        "xpack.encryptedSavedObjects.encryptionKey", None, "Seals secrets. Unset: `up` makes one, `serve` refuses"
    )
    decryption_only_keys: ListOf[EncryptionKey] = setting(
        "xpack.encryptedSavedObjects.keyRotation.decryptionOnlyKeys", (), "Earlier keys, which still open secrets"
    )

    @model_validator(mode="after")
    def _primary_is_not_old(self) -> Self:
        if self.key in self.decryption_only_keys:
            raise ValueError(
                "`keyRotation.decryptionOnlyKeys` cannot contain primary encryption key specified in `encryptionKey`."
            )
        return self


class EventLogSettings(SettingsGroup):
    retention: Annotated[Duration, AtLeast(timedelta(days=1))] = setting(
        "connectory.eventLog.retention", timedelta(days=90), "How long outcomes are kept, in Kafka and in Postgres"
    )


class SecuritySettings(SettingsGroup):
    enabled: bool = setting(
        "connectory.security.enabled", True, "`false`: every caller is a superuser. Only with a loopback `http.host`"
    )
    file: OrUnset[Path] = setting(
        "connectory.security.file", None, "Users and roles. Unset: `security.yml` in the data directory"
    )
    admin_password: OrUnset[SecretStr] = setting(
        "connectory.admin.password",
        None,
        "Password of `admin` in `up`. Unset: a random one, kept in the data directory",
    )


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
    retry: RetrySettings = Field(default_factory=RetrySettings)
    breaker: BreakerSettings = Field(default_factory=BreakerSettings)
    egress: EgressSettings = Field(default_factory=EgressSettings)
    event_log: EventLogSettings = Field(default_factory=EventLogSettings)
    encryption: EncryptionSettings = Field(default_factory=EncryptionSettings)
    security: SecuritySettings = Field(default_factory=SecuritySettings)
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

    @model_validator(mode="after")
    def _open_only_on_loopback(self) -> Self:
        if not self.security.enabled and not _is_loopback(self.http.host):
            raise ValueError(
                "[connectory.security.enabled]: false is refused unless connectory.http.host is a loopback address, "
                f"but it is [{self.http.host}]"
            )
        return self


def _both_or_neither(certificate: Path | None, key: Path | None) -> None:
    if (certificate is None) != (key is None):
        raise ValueError("ssl.certificateFile and ssl.keyFile are needed together")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
