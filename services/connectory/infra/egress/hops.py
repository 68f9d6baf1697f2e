"""One request on its way: what is sent to which target, and what is left of it after a redirect."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from connectory.connector_types.contract import ClientCertificate, OutgoingRequest
from connectory.infra.egress.targets import Target

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
SEE_OTHER: Final = 303

_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})
"""How a body is framed is the client's business: a wrong length would let one request speak into the next one."""
_CREDENTIALS: Final = frozenset({"authorization", "cookie", "proxy-authorization", "host"})
"""Besides the secret ones, the headers that a redirect to another origin must not see."""
_OF_A_BODY: Final = frozenset({"content-type", "content-encoding", "content-language", "content-location"})


@dataclass(slots=True)
class Hop:
    """Not frozen for the reason that a request is not. `is_typed`: the headers say what the body is.

    `certificate` is what the connector proves itself with to this origin.
    """

    method: str
    target: Target
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    is_typed: bool
    certificate: ClientCertificate | None = None


class Redirect(NamedTuple):
    """A target's wish that the request goes elsewhere. `location` is as it was sent, absolute or not."""

    status: int
    location: str


def first_hop(request: OutgoingRequest, target: Target) -> Hop:
    body = request.body.encode(errors="replace") if isinstance(request.body, str) else request.body
    names = {name.lower() for name in request.headers}
    headers = request.headers if names.isdisjoint(_FRAMING) else _without(request.headers, _FRAMING)
    if target.authorization and "authorization" not in names:
        headers = {**headers, "Authorization": target.authorization}
    return Hop(request.method, target, headers, body or None, "content-type" in names, request.client_certificate)


def redirected(hop: Hop, target: Target, status: int, secret_headers: Iterable[str]) -> Hop:
    """Method and body are kept, except by 303; credentials are dropped when scheme, host or port changes."""
    dropped, certificate = frozenset[str](), hop.certificate
    if target.origin != hop.target.origin:
        dropped, certificate = _CREDENTIALS.union(secret_headers), None
    if status == SEE_OTHER:
        headers = _without(hop.headers, dropped | _OF_A_BODY)
        return Hop("GET", target, headers, None, is_typed=False, certificate=certificate)
    return replace(hop, target=target, headers=_without(hop.headers, dropped), certificate=certificate)


def _without(headers: Mapping[str, str], names: frozenset[str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in names}
