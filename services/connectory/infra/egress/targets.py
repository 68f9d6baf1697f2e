"""A URL made ready to be called: normalised once, judged once, kept."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal
from urllib.parse import unquote_to_bytes

import ada_url
import yarl

from connectory.connector_types.contract import EgressRefused, ExchangeRefused
from connectory.infra.egress.addresses import AddressGuard
from connectory.infra.egress.hosts import AllowedHosts
from connectory.infra.egress.proxies import Proxy
from connectory.infra.settings.custom_hosts import CustomHost, canonical_url

REMEMBERED_TARGETS: Final = 4096
_PORTS: Final = {"http:": "80", "https:": "443"}

Route = Literal["tunnel", "forward"]
"""How a target is reached by way of the proxy."""


@dataclass(frozen=True, slots=True)
class Target:
    """`url` has neither credentials nor fragment; `authorization` holds the credentials that it had.

    Credentials in the location of a redirect are not used: they are the target's, not the connector's. `route` None:
    without the proxy. `custom` is what the operator wants for this very host and port.
    """

    url: yarl.URL
    href: str
    host: str
    port: str
    is_tls: bool
    authorization: str | None
    route: Route | None = None
    custom: CustomHost | None = None

    @property
    def origin(self) -> tuple[bool, str, str]:
        return self.is_tls, self.host, self.port


class Targets:
    """Turns URLs into targets that may be called. The verdicts hold as long as the settings do, so they are kept."""

    def __init__(
        self,
        hosts: AllowedHosts,
        guard: AddressGuard,
        proxy: Proxy | None = None,
        custom_hosts: Mapping[str, CustomHost] | None = None,
    ) -> None:
        self._hosts = hosts
        self._guard = guard
        self._proxy = proxy
        self._custom_hosts = custom_hosts or {}
        self.first = lru_cache(REMEMBERED_TARGETS)(self._first)

    def _first(self, url: str) -> Target:
        """The target of a request; raise `EgressRefused` when it may not be called."""
        if refusal := self._hosts.check_url(url):
            raise EgressRefused(refusal)
        try:
            return self._judged(ada_url.URL(url))
        except ValueError:
            raise ExchangeRefused("Invalid URL", "ERR_INVALID_URL") from None

    def redirected(self, location: str, source: Target) -> Target:
        """The target of a redirect; raise `EgressRefused` when it may not be followed."""
        try:
            url = ada_url.URL(location, base=source.href)
        except ValueError:
            raise EgressRefused("redirect hostname not provided by axios") from None
        if refusal := self._hosts.check_hostname(str(url.hostname)):
            raise EgressRefused(refusal)
        return self._judged(url)

    def check_hostname(self, hostname: str) -> str | None:
        return self._hosts.check_hostname(hostname)

    def require_tunnelled(self, host: str) -> None:
        """Raise `EgressRefused` for a host that may not be called through a proxy, which looks up names itself."""
        if refusal := self._refusal(host) or self._guard.check_unresolved(host):
            raise EgressRefused(refusal)

    def _judged(self, url: ada_url.URL) -> Target:
        target = _target(url)
        if refusal := self._refusal(target.host):
            raise EgressRefused(refusal)
        return self._routed(target)

    def _routed(self, target: Target) -> Target:
        custom = self._custom_hosts.get(canonical_url("https:", target.host, target.port)) if target.is_tls else None
        if self._proxy is None or not self._proxy.serves(target.host):
            return replace(target, custom=custom) if custom else target
        self.require_tunnelled(target.host)
        forwarded = self._proxy.forwards_http and not target.is_tls
        return replace(target, custom=custom, route="forward" if forwarded else "tunnel")

    def _refusal(self, host: str) -> str | None:
        """Judge a host that is an address: it is dialled without a look-up, so the resolver never sees it."""
        address = literal_address(host)
        if address is None or self._hosts.names(host):
            return None
        return self._guard.check_address(address, host)


def _target(url: ada_url.URL) -> Target:
    if url.protocol not in _PORTS:
        raise ExchangeRefused(f"Unsupported protocol {url.protocol}", "ERR_BAD_REQUEST")
    authorization = _authorization(str(url.username), str(url.password))
    url.username = url.password = url.hash = ""
    return Target(
        url=yarl.URL(str(url.href), encoded=True),
        href=str(url.href),
        host=str(url.hostname),
        port=str(url.port) or _PORTS[str(url.protocol)],
        is_tls=url.protocol == "https:",
        authorization=authorization,
    )


def _authorization(user: str, password: str) -> str | None:
    if not user and not password:
        return None
    return "Basic " + base64.b64encode(unquote_to_bytes(f"{user}:{password}")).decode()


def literal_address(host: str) -> str | None:
    """The address that a WHATWG host names itself: such a host is dialled without a look-up."""
    if host.startswith("["):
        return host.strip("[]")
    return host if host.rpartition(".")[2].isdecimal() else None
