"""What is read from a request before its handler runs: the body, then the headers."""

import asyncio
import re
import uuid
from typing import Final

from aiohttp import hdrs, web

from connectory.domain.json_types import Json
from connectory.gateway import json_bodies
from connectory.gateway.errors import Rejected

KIBANA_VERSION: Final = "9.3.0"
INTERNAL_ORIGIN_PARAMETER: Final = "elasticInternalOrigin"
"""In a query it does the same as the header `x-elastic-internal-origin`; it is no part of any route's own query."""

COMMAND_ID_HEADER: Final = "x-connectory-command-id"
BODY_SECONDS: Final = 30.0
"""For a whole body to arrive; a slower client is let go."""

_SAFE_METHODS: Final = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})
_METHODS_WITH_BODY: Final = frozenset({hdrs.METH_POST, hdrs.METH_PUT})
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


async def read_body(request: web.Request, limit: int) -> Json:
    """Return the JSON body; None when there is none or the method has none. Raises `Rejected` (413, 415, 400, 408).

    `limit` in bytes. Of a body that announces more, nothing is read; of one that turns out to be more, hardly more.
    """
    if (request.content_length or 0) > limit:
        raise Rejected.too_large(limit)
    if request.method not in _METHODS_WITH_BODY or not request.body_exists:
        return None
    if request.content_type != "application/json" or hdrs.CONTENT_TYPE not in request.headers:
        raise Rejected(415, "Unsupported Media Type")
    payload = await _payload(request, limit)
    try:
        return json_bodies.parse(payload) if payload else None
    except json_bodies.InvalidJson as error:
        raise Rejected.bad_request(json_bodies.SYNTAX_TEXT) from error


def check_headers(request: web.Request, path: str) -> None:
    """`path` is without base path and space prefix. Raises `Rejected` (400)."""
    version = request.headers.get("kbn-version")
    if version is not None and version != KIBANA_VERSION:
        raise _outdated(version)
    guarded = path.startswith(("/api/", "/internal/")) and request.method not in _SAFE_METHODS
    if guarded and version is None and "kbn-xsrf" not in request.headers:
        raise Rejected.bad_request("Request must contain a kbn-xsrf header.")


def query(request: web.Request) -> dict[str, Json]:
    """The parameters of the route itself; one that is given several times is a list."""
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
        text = f"[request header.{COMMAND_ID_HEADER}]: expected a UUID, one for each change, but got [{given}]"
        raise Rejected.bad_request(text) from None


def traceparent(request: web.Request) -> str | None:
    """The caller's trace context (W3C); one that is malformed is passed over."""
    given = request.headers.get("traceparent", "")
    return given if _TRACEPARENT.fullmatch(given) else None


async def _payload(request: web.Request, limit: int) -> bytes:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except TimeoutError:
        raise Rejected(408, f"The request body did not arrive within {BODY_SECONDS:.0f} seconds") from None
    except web.HTTPRequestEntityTooLarge:
        raise Rejected.too_large(limit) from None
    except (web.RequestPayloadError, ConnectionError) as error:
        raise Rejected.bad_request(json_bodies.SYNTAX_TEXT) from error


def _outdated(version: str) -> Rejected:
    text = (
        "Browser client is out of date, please refresh the page "
        f'("kbn-version" header was "{version}" but should be "{KIBANA_VERSION}")'
    )
    return Rejected(400, text, {"expected": KIBANA_VERSION, "got": version})
