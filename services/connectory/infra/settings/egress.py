"""What is set about the way out: addresses, redirects, the proxy, and hosts that need something of their own."""

from pathlib import Path
from typing import Annotated, Literal, NoReturn

from annotated_types import Ge, Le, MinLen
from pydantic import BeforeValidator, Field

from connectory.connector_types.contract import VerificationMode
from connectory.infra.settings.declaration import SettingsGroup, required, setting
from connectory.infra.settings.value_types import AddressRange, Entry, Hostname, ListOf, MapOf, OrUnset, Text, Whole


def _one_or_more(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _gone(_value: object) -> NoReturn:
    raise ValueError("this setting is gone: use customHostSettings[n].ssl.verificationMode")


Gone = Annotated[None, BeforeValidator(_gone)]


class CustomHostSmtp(SettingsGroup):
    ignore_tls: bool | None = Field(default=None, validation_alias="ignoreTLS")
    require_tls: bool | None = Field(default=None, validation_alias="requireTLS")


class CustomHostSsl(SettingsGroup):
    verification_mode: VerificationMode | None = Field(default=None, validation_alias="verificationMode")
    certificate_authorities_files: Annotated[tuple[Path, ...], MinLen(1), BeforeValidator(_one_or_more)] | None = Field(
        default=None, validation_alias="certificateAuthoritiesFiles"
    )
    certificate_authorities_data: Text | None = Field(default=None, validation_alias="certificateAuthoritiesData")
    reject_unauthorized: Gone = Field(default=None, validation_alias="rejectUnauthorized")


class CustomHostEntry(SettingsGroup):
    """An entry as it is written; `custom_hosts` says which of them count, and for what."""

    url: Text = required()
    smtp: CustomHostSmtp = CustomHostSmtp()
    ssl: CustomHostSsl = CustomHostSsl()
    tls: Gone = None


class ProxySettings(SettingsGroup):
    url: OrUnset[str] = setting(
        "xpack.actions.proxyUrl",
        None,
        "Proxy of outgoing calls, `http://` or `https://`",
        secret=True,
    )
    headers: MapOf[str] = setting("xpack.actions.proxyHeaders", {}, "Headers sent to the proxy", secret=True)
    bypass_hosts: ListOf[Hostname] | None = setting(
        "xpack.actions.proxyBypassHosts", None, "Hosts that are called directly"
    )
    only_hosts: ListOf[Hostname] | None = setting(
        "xpack.actions.proxyOnlyHosts",
        None,
        "If set, only these hosts are called through the proxy; ignored with `proxyBypassHosts`",
    )
    verification_mode: VerificationMode = setting(
        "xpack.actions.ssl.proxyVerificationMode",
        "full",
        "How the certificate of an `https://` proxy is checked",
    )
    http_targets: Literal["connect", "forward"] = setting(
        "connectory.egress.httpTargetsViaProxy",
        "connect",
        "How `http://` targets are reached through the proxy: by a tunnel, or `forward`ed by it",
    )


class EgressSettings(SettingsGroup):
    block_private_addresses: bool = setting(
        "connectory.egress.blockPrivateAddresses", False, "Whether calls to addresses that are not public are refused"
    )
    allowed_addresses: ListOf[AddressRange] = setting(
        "connectory.egress.allowedAddresses", (), "Addresses that may be called although they are guarded"
    )
    max_redirects: Annotated[Whole, Ge(0), Le(21)] = setting(
        "connectory.egress.maxRedirects", 21, "Most redirects followed in one call"
    )
    custom_host_settings: ListOf[Entry[CustomHostEntry]] = setting(
        "xpack.actions.customHostSettings",
        (),
        "TLS and SMTP options of single hosts: `{url, ssl, smtp}`",
    )
