"""Which entries of `customHostSettings` count, and for which host.

No problem with an entry stops the start: what is wrong is left out, and a warning says so.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import ada_url

from connectory.connector_types.contract import VerificationMode
from connectory.infra.settings.egress import CustomHostEntry, CustomHostSsl
from connectory.infra.yaml_file import reading_problem

_PORTS: Final = {"https:": "443", "smtp:": "25"}
_PREFIX: Final = "In configuration xpack.actions.customHosts, "

Warn = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomHost:
    """`url` is `protocol//hostname:port`; a call is for the host when its URL, reduced alike, equals it.

    `certificate_authorities` is PEM and stands in for the system's trust store; None leaves what is below as it is.
    """

    url: str
    verification_mode: VerificationMode | None = None
    certificate_authorities: str | None = None
    ignore_tls: bool | None = None
    require_tls: bool | None = None


def custom_hosts(entries: Iterable[CustomHostEntry], warn: Warn) -> tuple[CustomHost, ...]:
    """The hosts of the entries that count, with the files that they name read. Each problem is given to `warn`."""
    hosts: dict[str, CustomHost] = {}
    for entry in entries:
        host = _host(entry, warn)
        if host and host.url in hosts:
            warn(f'{_PREFIX}multiple URLs match the canonical url "{host.url}"; only the first will be used')
        elif host:
            hosts[host.url] = host
    return tuple(hosts.values())


def canonical_url(protocol: str, hostname: str, port: str) -> str:
    """The form by which entries and calls are matched; `protocol` has its colon.

    WHATWG leaves the case of a host as it is in schemes that it does not know, and `smtp` is one.
    """
    return f"{protocol}//{hostname.lower()}:{port}"


def _host(entry: CustomHostEntry, warn: Warn) -> CustomHost | None:
    try:
        url = ada_url.URL(entry.url)
    except ValueError:
        warn(f'{_PREFIX}invalid URL "{masked(entry.url)}", ignoring; error: Invalid URL')
        return None
    shown = masked(entry.url)
    if problem := _unusable(url):
        warn(f'{_PREFIX}{problem} "{shown}", ignoring')
        return None
    for part in _ignored_parts(url):
        warn(f'{_PREFIX}URL "{shown}" contains {part}')
    protocol = str(url.protocol)
    ignore_tls, require_tls = _smtp(entry, protocol, shown, warn)
    return CustomHost(
        url=canonical_url(protocol, str(url.hostname), str(url.port) or _PORTS[protocol]),
        verification_mode=entry.ssl.verification_mode,
        certificate_authorities=_authorities(entry.ssl, warn),
        ignore_tls=ignore_tls,
        require_tls=require_tls,
    )


def _unusable(url: ada_url.URL) -> str | None:
    if url.protocol not in _PORTS:
        return "unsupported protocol used in URL"
    if not url.hostname:
        return "unable to determine port for URL"
    return None


def _ignored_parts(url: ada_url.URL) -> Iterator[str]:
    if url.username or url.password:
        yield "authentication information which will be ignored, but should be removed from the configuration"
    if url.hash:
        yield "hash information which will be ignored"
    if url.pathname not in ("", "/"):
        yield "path information which will be ignored"


def _smtp(entry: CustomHostEntry, protocol: str, shown: str, warn: Warn) -> tuple[bool | None, bool | None]:
    """`ignoreTLS` and `requireTLS`, where they mean something."""
    ignore_tls, require_tls = entry.smtp.ignore_tls, entry.smtp.require_tls
    if protocol != "smtp:":
        if "smtp" in entry.model_fields_set:
            warn(f'{_PREFIX}URL "{shown}" contains smtp properties but does not use smtp; ignoring smtp properties')
        return None, None
    if ignore_tls and require_tls:
        warn(
            f'{_PREFIX}URL "{shown}" cannot have both requireTLS and ignoreTLS set to true; '
            "using requireTLS: true and ignoreTLS: false"
        )
        return False, True
    return ignore_tls, require_tls


def _authorities(ssl: CustomHostSsl, warn: Warn) -> str | None:
    parts = [ssl.certificate_authorities_data] if ssl.certificate_authorities_data else []
    for file in ssl.certificate_authorities_files or ():
        try:
            parts.append(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            problem = reading_problem(error)
            warn(f'error reading file "{file}" specified in xpack.actions.customHosts, ignoring: {problem}')
    return "\n".join(parts) or None


def masked(text: str) -> str:
    """The URL with stars in place of its credentials."""
    before, found, rest = text.partition("//")
    authority = rest.split("/", 1)[0].split("?", 1)[0].split("#", 1)[0]
    if not found or "@" not in authority:
        return text
    return f"{before}//***@{rest[authority.rindex('@') + 1 :]}"
