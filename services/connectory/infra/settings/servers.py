"""The servers that Connectory speaks to, and the address that it listens on itself."""

from pathlib import Path
from typing import Annotated, Literal, Self

from annotated_types import Ge, Le, MinLen
from pydantic import SecretStr, model_validator

from connectory.connector_types.contract import VerificationMode
from connectory.infra.settings.declaration import SettingsGroup, setting
from connectory.infra.settings.value_types import ListOf, OrUnset, Port, Positive, Whole, matching

TopicPrefix = Annotated[
    str, matching("^[a-zA-Z0-9._-]{0,100}$", "letters, digits, dots, dashes and underscores, at most 100")
]
RegistryUrl = Annotated[str, matching("^https?://[^/]", "an http or https URL")]
ElasticsearchUrl = Annotated[str, matching("^https?://[^/].*[^/]$", "an http or https URL without a slash at the end")]
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
    replication_factor: Annotated[Whole, Ge(1), Le(32767)] = setting(
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
    max_connections: Positive = setting(
        "connectory.http.maxConnections", 1000, "Connections of clients at once; those beyond are closed with a 503"
    )
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


def _both_or_neither(certificate: Path | None, key: Path | None) -> None:
    if (certificate is None) != (key is None):
        raise ValueError("ssl.certificateFile and ssl.keyFile are needed together")


class ElasticsearchSettings(SettingsGroup):
    hosts: ListOf[ElasticsearchUrl] = setting(
        "connectory.elasticsearch.hosts",
        (),
        "Where `.index` keeps documents, over an API as Elasticsearch has; the next one is tried when one cannot be "
        "reached. None: in the table `index_documents` of the database",
    )
    username: OrUnset[str] = setting("connectory.elasticsearch.username", None, "User, where it wants one")
    password: OrUnset[SecretStr] = setting("connectory.elasticsearch.password", None, "Password of that user")
    api_key: OrUnset[SecretStr] = setting(
        "connectory.elasticsearch.apiKey", None, "An API key in its encoded form, in place of a user"
    )

    @model_validator(mode="after")
    def _one_login(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("connectory.elasticsearch needs both username and password, or neither")
        if self.username is not None and self.api_key is not None:
            raise ValueError("connectory.elasticsearch takes username and password, or apiKey, and not both")
        return self
