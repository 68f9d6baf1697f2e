"""Which hosts may be called: exact names, compared in the form that WHATWG gives a host."""

import re
from collections.abc import Iterable

from ada_url import URL

_NOT_IN_A_HOST = re.compile(r"[/\\?#@\s]")
_CREDENTIALS = re.compile(r"(?<=:)[/\\]*[^/\\?#]*@")


class AllowedHosts:
    """The operator's list. `*` anywhere allows all, an empty list nothing; there are no wildcards within names."""

    def __init__(self, entries: Iterable[str]) -> None:
        listed = tuple(entries)
        self._all = "*" in listed
        self._names = frozenset(name for name in map(host_of_entry, listed) if name)

    def parses(self, url: str) -> bool:
        return self.protocol_of(url) is not None

    def protocol_of(self, url: str) -> str | None:
        try:
            return str(URL(url).protocol)
        except ValueError:
            return None

    def hostname_of(self, url: str) -> str | None:
        return hostname_of(url)

    def check_url(self, url: str) -> str | None:
        """Return the refusal text for a URL whose host is not listed, or that has none."""
        if self._all or hostname_of(url) in self._names:
            return None
        shown = without_credentials(url)
        return f'target url "{shown}" is not added to the Kibana config xpack.actions.allowedHosts'

    def check_hostname(self, hostname: str) -> str | None:
        if self._all or host_of_entry(hostname) in self._names:
            return None
        return f'target hostname "{hostname}" is not added to the Kibana config xpack.actions.allowedHosts'

    def names(self, hostname: str) -> bool:
        """Whether exactly this host stands in the list; `*` names none."""
        return hostname in self._names


def hostname_of(url: str) -> str | None:
    """The host of a URL in WHATWG form, IPv6 in brackets; None when it does not parse or has none."""
    try:
        return str(URL(url).hostname) or None
    except ValueError:
        return None


def host_of_entry(entry: str) -> str | None:
    """A bare host in WHATWG form; None for what is no host by itself (a port or a path makes it none)."""
    bracketed = f"[{entry}]" if entry.count(":") > 1 and not entry.startswith("[") else entry
    if _NOT_IN_A_HOST.search(entry) or (":" in entry and not bracketed.endswith("]")):
        return None
    return hostname_of(f"http://{bracketed}/")


def without_credentials(url: str) -> str:
    """The URL as it may be shown: as it is, unless it has credentials."""
    try:
        parsed = URL(url)
    except ValueError:
        return _CREDENTIALS.sub("", url, count=1)
    if not parsed.username and not parsed.password:
        return url
    parsed.username = parsed.password = ""
    return str(parsed.href)
