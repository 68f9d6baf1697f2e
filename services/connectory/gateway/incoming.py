"""What is read from a request before its handler runs: the body, then the headers."""

import asyncio
import re
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from connectory.domain.json_types import Json
from connectory.gateway import json_bodies
from connectory.gateway.errors import Rejected

KIBANA_VERSION: Final = "9.3.0"
INTERNAL_ORIGIN_HEADER: Final = "x-elastic-internal-origin"
INTERNAL_ORIGIN_PARAMETER: Final = "elasticInternalOrigin"
"""In a query it does the same as the header `x-elastic-internal-origin`; it is no part of any route's own query."""

COMMAND_ID_HEADER: Final = "x-connectory-command-id"
XSRF_HEADER: Final = "kbn-xsrf"
BODY_SECONDS: Final = 30.0
"""For a whole body to arrive; a slower client is let go."""

FORM_SECONDS: Final = 120.0
"""The same for a form, which may hold a large file."""

MEDIA_TYPE_TEXT: Final = "Unsupported Media Type"
JSON_TYPES: Final = frozenset({"application/json"})
JSON_TYPES_OF_SEARCHES: Final = JSON_TYPES | {"application/vnd.elasticsearch+json"}
FORM_TYPES: Final = frozenset({"multipart/form-data"})
BROKEN_FORM_TEXT: Final = "Invalid multipart payload format"
XSRF_TEXT: Final = f"Request must contain a {XSRF_HEADER} header."

_SAFE_METHODS: Final = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})
_METHODS_WITH_BODY: Final = frozenset({hdrs.METH_POST, hdrs.METH_PUT})
_BROKEN_OFF: Final = (web.RequestPayloadError, ConnectionError)
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Part:
    """A field of a form; one that is no file has no `filename`."""

    filename: str | None
    content: bytes = field(repr=False)


Form: TypeAlias = Mapping[str, Part]


async def read_body(request: web.Request, limit: int) -> Json:
    """Return the JSON body; None when there is none or the method has none. Raises `Rejected` (413, 415, 400, 408).

    `limit` in bytes. Of a body that announces more, nothing is read; of one that turns out to be more, hardly more.
    """
    if not request.body_exists:  # as with most requests
        return None
    if not _announces_body(request, JSON_TYPES_OF_SEARCHES if _is_search(request) else JSON_TYPES, limit):
        return None
    payload = await _payload(request, limit)
    try:
        return json_bodies.parse(payload) if payload else None
    except json_bodies.InvalidJson as error:
        raise Rejected.bad_request(json_bodies.SYNTAX_TEXT) from error


async def read_form(request: web.Request, limit: int) -> Form:
    """Return the fields of a `multipart/form-data` body by name, the first of each.

    Raises `Rejected` as `read_body` does.
    """
    if not request.body_exists or not _announces_body(request, FORM_TYPES, limit):
        return {}
    try:
        async with asyncio.timeout(FORM_SECONDS):
            given = await request.clone(client_max_size=limit).post()
    except TimeoutError:
        raise _too_slow(FORM_SECONDS) from None
    except web.HTTPRequestEntityTooLarge:
        raise Rejected.too_large(limit) from None
    except (ValueError, AssertionError, RuntimeError, HttpProcessingError, *_BROKEN_OFF) as error:
        # The library has no error of its own for what is no form: a boundary that is missing, too long or not met.
        raise Rejected.bad_request(BROKEN_FORM_TEXT) from error
    return {name: _part(given.getall(name)[0]) for name in given}


def _is_search(request: web.Request) -> bool:
    """Clients of Elasticsearch send the body of a search with GET too, and have a name of their own for JSON."""
    return request.path.endswith("/_search")


def _announces_body(request: web.Request, media_types: Collection[str], limit: int) -> bool:
    """Whether there is a body to be read. Raises `Rejected` (413, 415)."""
    if (request.content_length or 0) > limit:
        raise Rejected.too_large(limit)
    if not (request.method in _METHODS_WITH_BODY or _is_search(request)):
        return False
    if request.content_type not in media_types or hdrs.CONTENT_TYPE not in request.headers:
        raise Rejected(415, MEDIA_TYPE_TEXT)
    return True


def _part(given: str | bytes | bytearray | web.FileField) -> Part:
    if isinstance(given, web.FileField):
        with given.file as file:
            return Part(given.filename, file.read())
    return Part(None, given.encode() if isinstance(given, str) else bytes(given))


@dataclass(frozen=True, slots=True)
class HeaderRules:
    """`xsrf_exempt`: schemes, in lower case, whose requests need no `kbn-xsrf`.

    `restrict_internal`: whether internal routes are for callers who say that they are internal.
    """

    xsrf_exempt: Collection[str] = ()
    restrict_internal: bool = True


def check_headers(request: web.Request, path: str, pathname: str, rules: HeaderRules) -> None:
    """`path` is that of the route, `pathname` the caller's, both without base path and space prefix.

    Raises `Rejected` (400).
    """
    version = request.headers.get("kbn-version")
    if version is not None and version != KIBANA_VERSION:
        raise _outdated(version)
    guarded = needs_xsrf(request.method, path) and version is None and _scheme(request) not in rules.xsrf_exempt
    if guarded and XSRF_HEADER not in request.headers:
        raise Rejected.bad_request(XSRF_TEXT)
    if path.startswith("/internal/") and rules.restrict_internal and not _is_internal(request):
        raise Rejected.bad_request(not_internal_text(pathname, request.method))


def needs_xsrf(method: str, path: str) -> bool:
    return path.startswith(("/api/", "/internal/")) and method not in _SAFE_METHODS


def not_internal_text(pathname: str, method: str) -> str:
    return f"uri [{pathname}] with method [{method.lower()}] exists but is not available with the current configuration"


def _scheme(request: web.Request) -> str:
    return request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")[0].lower()


def _is_internal(request: web.Request) -> bool:
    return INTERNAL_ORIGIN_HEADER in request.headers or INTERNAL_ORIGIN_PARAMETER in request.query


def query(request: web.Request) -> dict[str, Json]:
    """The parameters of the route itself; one that is given several times is a list."""
    if not request.query_string:  # of most requests, and cheaper than to look for parameters
        return {}
    given = request.query
    return {
        name: values[0] if len(values := given.getall(name)) == 1 else values
        for name in given
        if name != INTERNAL_ORIGIN_PARAMETER
    }


def command_id(request: web.Request) -> str | None:
    """The id that the caller gave to its change. Raises `Rejected` (400) when it is no UUID."""
    given = request.headers.get(COMMAND_ID_HEADER)
    try:
        return None if given is None else str(uuid.UUID(given))
    except ValueError:
        raise Rejected.bad_request(bad_command_id_text(str(given))) from None


def bad_command_id_text(given: str) -> str:
    return f"[request header.{COMMAND_ID_HEADER}]: expected a UUID, one for each change, but got [{given}]"


def traceparent(request: web.Request) -> str | None:
    """The caller's trace context (W3C); one that is malformed is passed over."""
    given = request.headers.get("traceparent", "")
    return given if _TRACEPARENT.fullmatch(given) else None


async def _payload(request: web.Request, limit: int) -> bytes:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except TimeoutError:
        raise _too_slow(BODY_SECONDS) from None
    except web.HTTPRequestEntityTooLarge:
        raise Rejected.too_large(limit) from None
    except _BROKEN_OFF as error:
        raise Rejected.bad_request(json_bodies.SYNTAX_TEXT) from error


def too_slow_text(seconds: str) -> str:
    return f"The request body did not arrive within {seconds} seconds"


def outdated_text(version: str) -> str:
    return (
        "Browser client is out of date, please refresh the page "
        f'("kbn-version" header was "{version}" but should be "{KIBANA_VERSION}")'
    )


def _too_slow(seconds: float) -> Rejected:
    return Rejected(408, too_slow_text(f"{seconds:.0f}"))


def _outdated(version: str) -> Rejected:
    return Rejected(400, outdated_text(version), {"expected": KIBANA_VERSION, "got": version})
