"""One request on its way: what is sent to which target, and what is left of it after a redirect."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from connectory.connector_types.contract import OutgoingRequest
from connectory.infra.egress.targets import Target

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
SEE_OTHER: Final = 303

_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})
"""How a body is framed is the client's business: a wrong length would let one request speak into the next one."""
_CREDENTIALS: Final = frozenset({"authorization", "cookie", "proxy-authorization", "host"})
"""Besides the secret ones, the headers that a redirect to another origin must not see."""
_OF_A_BODY: Final = frozenset({"content-type", "content-encoding", "content-language", "content-location"})


@dataclass(frozen=True, slots=True)
class Hop:
    method: str
    target: Target
    headers: Mapping[str, str]
    body: bytes | None


class Redirect(NamedTuple):
    """A target's wish that the request goes elsewhere. `location` is as it was sent, absolute or not."""

    status: int
    location: str


def first_hop(request: OutgoingRequest, target: Target) -> Hop:
    body = request.body.encode(errors="replace") if isinstance(request.body, str) else request.body
    headers = _with_authorization(_without(request.headers, _FRAMING), target)
    return Hop(request.method, target, headers, body or None)


def redirected(hop: Hop, target: Target, status: int, secret_headers: Iterable[str]) -> Hop:
    """Method and body are kept, except by 303; credentials are dropped when scheme, host or port changes."""
    headers = hop.headers
    if target.origin != hop.target.origin:
        headers = _without(headers, _CREDENTIALS.union(secret_headers))
    headers = _with_authorization(headers, target)
    if status == SEE_OTHER:
        return Hop("GET", target, _without(headers, _OF_A_BODY), None)
    return Hop(hop.method, target, headers, hop.body)


def _without(headers: Mapping[str, str], names: frozenset[str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in names}


def _with_authorization(headers: Mapping[str, str], target: Target) -> Mapping[str, str]:
    """Credentials in a URL count unless the request has its own."""
    if target.authorization is None or any(name.lower() == "authorization" for name in headers):
        return headers
    return {**headers, "Authorization": target.authorization}
