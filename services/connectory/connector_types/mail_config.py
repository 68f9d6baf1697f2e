"""How a connector sends mail: schemas and checks of its config and secrets."""

from typing import Annotated, Any

from annotated_types import Ge, Le
from pydantic import BeforeValidator, Field

from connectory.connector_types.contract import TypeSettings
from connectory.connector_types.mail_addresses import problem_with_sender
from connectory.connector_types.mail_services import (
    ELASTIC_CLOUD_SERVICE,
    EXCHANGE_SERVICE,
    JSON_SERVICE,
    OTHER_SERVICE,
    SECURE_PORT,
    SES_SERVICE,
    Server,
    find_service,
)
from connectory.connector_types.mail_settings import SERVICE_SETTINGS, MailSettings
from connectory.connector_types.schemas import Absentable, Schema, SecretSchema, about


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else value


class Config(Schema):
    service: Annotated[str, about("Service", "A known one, or `other` for a mail server of your own")] = "other"
    host: Annotated[str | None, about("Host", "Of the mail server")] = None
    port: Annotated[
        Annotated[int, Ge(1), Le(65535)] | None, BeforeValidator(_number), about("Port", "Of the mail server")
    ] = None
    secure: Annotated[bool | None, about("Secure", "TLS from the start; otherwise STARTTLS where it is offered")] = None
    sender: Annotated[str, about("Sender")] = Field(alias="from")
    has_auth: Annotated[bool, about("Require authentication")] = True
    tenant_id: Annotated[str | None, about("Tenant id", "Of Exchange")] = None
    client_id: Annotated[str | None, about("Client id", "Of Exchange")] = None
    oauth_token_url: Annotated[str | None, about("Token URL", "Of Exchange, where it is another")] = None
    allow_html: Annotated[Absentable[bool], about("Allow HTML", "Whether messages may bring HTML of their own")] = None


class Secrets(SecretSchema):
    user: Annotated[str | None, about("User", shown=True)] = None
    password: Annotated[str | None, about("Password")] = None
    client_secret: Annotated[str | None, about("Client secret", "Of Exchange")] = None


def server_of(config: Config, settings: MailSettings) -> Server | None:
    """Where mail goes; None where it is not known."""
    if config.service != OTHER_SERVICE:
        return find_service(config.service, settings)
    if config.host is None or config.port is None:
        return None
    secure = config.port == SECURE_PORT if config.secure is None else config.secure
    return Server(config.host, config.port, secure)


def check_config(config: Config, settings: TypeSettings) -> str | None:
    return _problem_with_wishes(config, settings) or _problem_with_service(config, settings)


def _problem_with_wishes(config: Config, settings: TypeSettings) -> str | None:
    mail = settings.mail
    if not mail.enables(config.service):
        enabled = ",".join(mail.enabled_services)
        return (
            f'[service]: "{SERVICE_SETTINGS[config.service]}" is not in the list of enabled email services: {enabled}'
        )
    if problem := problem_with_sender(config.sender, mail, templates_pass=True):
        return f"[from]: {problem}"
    if config.allow_html and config.service == ELASTIC_CLOUD_SERVICE:
        return f'[allowHtml]: cannot be true when [service] is "{ELASTIC_CLOUD_SERVICE}"'
    url = config.oauth_token_url
    if url is not None and settings.hosts.check_url(url):
        return f"[oauthTokenUrl]: host name value for '{url}' is not in the allowedHosts configuration"
    return None


def _problem_with_service(config: Config, settings: TypeSettings) -> str | None:
    match config.service:
        case service if service == JSON_SERVICE:
            return None
        case service if service == EXCHANGE_SERVICE:
            return _missing(clientId=config.client_id, tenantId=config.tenant_id)
        case service if service == SES_SERVICE and settings.mail.ses is not None:
            return _problem_with_ses(config, *settings.mail.ses)
        case service if service == OTHER_SERVICE:
            return _missing(host=config.host, port=config.port) or _problem_with_host(config, settings)
        case _:
            return _problem_with_known_service(config.service, settings)


def _missing(**needed: object) -> str | None:
    missing = [f"[{name}]" for name, value in needed.items() if value is None]
    return f"{'/'.join(missing)} is required" if missing else None


def _problem_with_ses(config: Config, host: str, port: int) -> str | None:
    wrong = [name for name, same in (("host", config.host == host), ("port", config.port == port)) if not same]
    if wrong:
        named = "/".join(f"[ses.{name}]" for name in wrong)
        return (
            f"{named} does not match with the configured AWS SES {'/'.join(wrong)}{' combination' * (len(wrong) == 2)}"
        )
    return None if config.secure else "[ses.secure] must be true for AWS SES"


def _problem_with_host(config: Config, settings: TypeSettings) -> str | None:
    if config.host is None or settings.hosts.check_hostname(config.host) is None:
        return None
    return f"[host] value '{config.host}' is not in the allowedHosts configuration"


def _problem_with_known_service(service: str, settings: TypeSettings) -> str | None:
    server = find_service(service, settings.mail)
    if server is None:
        return f"[service] value '{service}' is not valid"
    if settings.hosts.check_hostname(server.host) is None:
        return None
    return (
        f"[service] value '{service}' resolves to host '{server.host}' which is not in the allowedHosts configuration"
    )


def check_connector(config: Config, secrets: Secrets) -> str | None:
    if config.service == EXCHANGE_SERVICE:
        return None if secrets.client_secret is not None else "[clientSecret] is required"
    if not config.has_auth:
        return None
    if secrets.user is None:
        return "[user] is required"
    return "[password] is required" if secrets.password is None else None
