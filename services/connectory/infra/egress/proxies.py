"""The operator's proxy: which hosts are reached through it, and what it is told."""

import base64
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import unquote_to_bytes

import ada_url
import yarl

from connectory.connector_types.contract import VerificationMode
from connectory.infra.egress.hosts import host_of_entry, without_credentials

log = logging.getLogger(__name__)

_PORTS: Final = {"http:": 80, "https:": 443}
_NOT_IN_A_LINE: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """`headers` go with every `CONNECT`, credentials included; no target sees them.

    `host` is in WHATWG form, IPv6 in brackets. With `forwards_http` the proxy itself is asked for `http://` targets.
    """

    host: str
    port: int
    is_tls: bool
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    verification_mode: VerificationMode = "full"
    forwards_http: bool = False
    bypass_hosts: frozenset[str] | None = None
    only_hosts: frozenset[str] | None = None

    def serves(self, host: str) -> bool:
        """Whether a host, in WHATWG form, is reached through the proxy. With both lists the second is ignored."""
        if self.bypass_hosts is not None:
            return host not in self.bypass_hosts
        return self.only_hosts is None or host in self.only_hosts

    @property
    def url(self) -> yarl.URL:
        return yarl.URL(f"{'https' if self.is_tls else 'http'}://{self.host}:{self.port}", encoded=True)


def proxy(
    url: str | None,
    *,
    headers: Mapping[str, str],
    bypass_hosts: Iterable[str] | None,
    only_hosts: Iterable[str] | None,
    verification_mode: VerificationMode,
    http_targets: Literal["connect", "forward"],
) -> Proxy | None:
    """The proxy of the settings; None without one, or when its URL cannot be used, which is logged."""
    if url is None:
        return None
    parsed = _usable(url)
    if parsed is None:
        log.warning('invalid proxy URL "%s" ignored', without_credentials(url))
        return None
    return Proxy(
        host=str(parsed.hostname),
        port=int(parsed.port or _PORTS[str(parsed.protocol)]),
        is_tls=parsed.protocol == "https:",
        headers=_with_credentials(_sendable(headers), str(parsed.username), str(parsed.password)),
        verification_mode=verification_mode,
        forwards_http=http_targets == "forward",
        bypass_hosts=_names(bypass_hosts),
        only_hosts=_names(only_hosts),
    )


def _usable(url: str) -> ada_url.URL | None:
    try:
        parsed = ada_url.URL(url)
    except ValueError:
        return None
    return parsed if parsed.protocol in _PORTS and parsed.hostname else None


def _names(hosts: Iterable[str] | None) -> frozenset[str] | None:
    return None if hosts is None else frozenset(name for name in map(host_of_entry, hosts) if name)


def _sendable(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Headers that are one line each: another one would be a header, or a request, of its own."""
    for name in [name for name, value in headers.items() if _NOT_IN_A_LINE.search(name + value)]:
        log.warning('header "%s" of xpack.actions.proxyHeaders ignored: it has control characters', name.strip())
        headers = {kept: value for kept, value in headers.items() if kept != name}
    return headers


def _with_credentials(headers: Mapping[str, str], user: str, password: str) -> Mapping[str, str]:
    """A `Proxy-Authorization` among the headers counts before the credentials of the URL."""
    if not (user or password) or any(name.lower() == "proxy-authorization" for name in headers):
        return headers
    credentials = base64.b64encode(unquote_to_bytes(f"{user}:{password}")).decode()
    return {**headers, "Proxy-Authorization": f"Basic {credentials}"}
