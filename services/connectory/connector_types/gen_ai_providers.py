"""Whom `.gen-ai` talks to: OpenAI, Azure OpenAI, and others that speak as OpenAI does."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias, assert_never

from pydantic import ConfigDict

from connectory.connector_types.contract import ClientCertificate, RunFailed, TypeSettings, VerificationMode
from connectory.connector_types.json_text import compact, parse_json
from connectory.connector_types.schemas import Absentable, Number, Schema, SecretSchema, Unsaved, about
from connectory.connector_types.services import DEFAULT_TLS, Tls
from connectory.domain.json_types import JsonObject

DEFAULT_MODEL: Final = "gpt-4.1"
MISSING_KEY: Final = "[apiKey]: expected value of type [string] but got [undefined]"

_OPENAI_URLS: Final = frozenset({"https://api.openai.com/v1/chat/completions", "https://api.openai.com/v1/completions"})
_AZURE_URL: Final = re.compile(
    r"https?://[^?#]+/openai/deployments/[^/?#]+/(extensions/)?(chat/)?completions\?(.*&)?api-version=.+"
)


class Extras(Schema):
    headers: Annotated[Absentable[dict[str, str]], about("Headers", "Of every call")] = None
    context_window_length: Annotated[Absentable[Number], about("Context window length", "In tokens")] = None
    temperature: Annotated[Absentable[Number], about("Temperature")] = None


class OpenAiTarget(Schema):
    api_provider: Annotated[Literal["OpenAI"], about("Provider")]
    api_url: Annotated[str, about("URL", "https://api.openai.com/v1/chat/completions")]
    default_model: Annotated[Unsaved[str], about("Default model")] = DEFAULT_MODEL
    organization_id: Annotated[Absentable[str], about("Organization id")] = None
    project_id: Annotated[Absentable[str], about("Project id")] = None


class AzureTarget(Schema):
    api_provider: Annotated[Literal["Azure OpenAI"], about("Provider")]
    api_url: Annotated[str, about("URL", "Of the deployment, with its api-version")]
    default_model: Annotated[Absentable[str], about("Default model")] = None


class OtherTarget(Schema):
    api_provider: Annotated[Literal["Other"], about("Provider")]
    api_url: Annotated[str, about("URL", "Of an API that speaks as that of OpenAI does")]
    default_model: Annotated[str, about("Default model")]
    verification_mode: Annotated[VerificationMode, about("Verification mode")] = "full"
    enable_native_function_calling: Annotated[Absentable[bool], about("Native function calling")] = None


class OpenAi(Extras, OpenAiTarget):
    pass


class Azure(Extras, AzureTarget):
    pass


class Other(Extras, OtherTarget):
    pass


class UnknownProvider(Schema):
    """A config that is refused, whatever else it says."""

    model_config = ConfigDict(extra="allow")

    api_provider: Annotated[str, about("Provider")]


Provider: TypeAlias = OpenAi | Azure | Other

_PROVIDERS: Final[Mapping[str, type[Schema]]] = {"OpenAI": OpenAi, "Azure OpenAI": Azure, "Other": Other}


class Secrets(SecretSchema):
    """A key, or for other providers a client certificate; certificate, key and CA are base64 of PEM."""

    api_key: Annotated[Absentable[str], about("API key")] = None
    certificate_data: Annotated[Absentable[str], about("Certificate", "PEM", widget="file")] = None
    private_key_data: Annotated[Absentable[str], about("Private key", "PEM", widget="file")] = None
    ca_data: Annotated[Absentable[str], about("CA", "PEM", widget="file")] = None

    @property
    def has_certificate(self) -> bool:
        return any((self.certificate_data, self.private_key_data, self.ca_data))


def config_of(config: JsonObject) -> type[Schema]:
    name = config.get("apiProvider")
    return _PROVIDERS.get(name, UnknownProvider) if isinstance(name, str) else UnknownProvider


def check_config(config: Schema, settings: TypeSettings) -> str | None:
    problem = _problem_with(config, settings)
    return f"Error configuring OpenAI action: Error: {problem}" if problem else None


def _problem_with(config: Schema, settings: TypeSettings) -> str | None:
    if isinstance(config, UnknownProvider):
        return f"API Provider is not supported: {config.api_provider}"
    url = config.api_url if isinstance(config, OpenAi | Azure | Other) else ""
    if settings.hosts.protocol_of(url) not in ("http:", "https:"):
        return "URL Error: Invalid URL"
    return settings.hosts.check_url(url)


def check_secrets(secrets: Secrets, _settings: TypeSettings) -> str | None:
    if not secrets.has_certificate:
        return MISSING_KEY if secrets.api_key is None else None
    if not secrets.certificate_data:
        return "Certificate data must be provided for PKI"
    if not secrets.private_key_data:
        return "Private key data must be provided for PKI"
    return (
        _problem_with_pem("certificate", secrets.certificate_data, "CERTIFICATE")
        or _problem_with_pem("private key", secrets.private_key_data, "PRIVATE KEY")
        or (_problem_with_pem("CA", secrets.ca_data, "CERTIFICATE") if secrets.ca_data else None)
    )


def check_connector(config: Schema, secrets: Secrets) -> str | None:
    """A client certificate is for other providers; the two that are known by name want a key."""
    return MISSING_KEY if secrets.api_key is None and not isinstance(config, Other) else None


def _problem_with_pem(what: str, data: str, kind: str) -> str | None:
    if re.match(rb"-----BEGIN ([A-Z]+ )*" + kind.encode() + rb"-----", _decoded(data).strip()):
        return None
    return (
        f"Invalid {what} file format: The file must be a PEM-encoded certificate "
        f'beginning with "-----BEGIN {kind}-----".'
    )


def _decoded(data: str) -> bytes:
    try:
        return base64.b64decode(data)
    except (binascii.Error, ValueError):
        return b""


def tls_of(config: Provider, secrets: Secrets) -> Tls:
    if not isinstance(config, Other):
        return DEFAULT_TLS
    if not secrets.has_certificate:
        return Tls(verification_mode=config.verification_mode)
    if not (secrets.certificate_data and secrets.private_key_data):
        raise RunFailed("PKI configuration requires certificate and private key")
    certificate = ClientCertificate(
        certificate=_decoded(secrets.certificate_data), key=_decoded(secrets.private_key_data)
    )
    ca = _decoded(secrets.ca_data) if secrets.ca_data else None
    return Tls(verification_mode=config.verification_mode, ca_pem=ca, client_certificate=certificate)


def headers_of(config: Provider, secrets: Secrets) -> Mapping[str, str]:
    """Those that prove who calls win over configured ones."""
    proof = _proof(config, secrets)
    names = {name.lower() for name in proof}
    configured = {name: value for name, value in (config.headers or {}).items() if name.lower() not in names}
    return {**configured, **proof}


def _proof(config: Provider, secrets: Secrets) -> Mapping[str, str]:
    key = secrets.api_key
    match config:
        case Azure():
            return {"api-key": key or ""}
        case Other():
            return {"Authorization": f"Bearer {key}"} if key is not None else {}
        case OpenAi():
            belonging = {"OpenAI-Organization": config.organization_id, "OpenAI-Project": config.project_id}
            return {"Authorization": f"Bearer {key}"} | {name: value for name, value in belonging.items() if value}
        case _:
            assert_never(config)


def body_of(config: Provider, body: str, *, stream: bool, may_stream: bool) -> str:
    """The caller's body with `stream` forced and the model filled in; one that is no JSON object passes as it is.

    `may_stream` says that the sub-action is one that streams, whether or not this call does.
    """
    try:
        parsed = parse_json(body)
    except ValueError:
        return body
    if not isinstance(parsed, dict):
        return body
    return compact(_completed(config, parsed, stream=stream, may_stream=may_stream))


def _completed(config: Provider, body: Mapping[str, Any], *, stream: bool, may_stream: bool) -> Mapping[str, Any]:
    forced = {"stream": stream}
    match config:
        case OpenAi():
            filled = {**body, "model": body.get("model") or config.default_model}
            return {**filled, **forced} if config.api_url in _OPENAI_URLS else filled
        case Azure():
            return {**body, **forced} if _AZURE_URL.fullmatch(config.api_url) else body
        case Other():
            model = {"model": body.get("model") or config.default_model} if may_stream else {}
            return {**body, **model, **forced}
        case _:
            assert_never(config)
