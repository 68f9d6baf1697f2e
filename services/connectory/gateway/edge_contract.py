"""What every route has in common, as far as documents show it: headers, and the refusals of the edge."""

from collections.abc import Iterator
from typing import Final

from connectory.domain.json_types import Json, JsonObject
from connectory.gateway import incoming, json_bodies
from connectory.gateway.contract import FORM, Contract, Refusal
from connectory.gateway.errors import AWAY, INTERNAL, OutcomeUnknown, Rejected
from connectory.gateway.routing import Route
from connectory.infra.password_checks import TooManyLogins
from connectory.infra.settings import ServerSettings

ERROR_BODY: Final[JsonObject] = {
    "type": "object",
    "description": "Every refusal. `attributes` is there only where words are not enough.",
    "properties": {
        "statusCode": {"type": "integer"},
        "error": {"type": "string"},
        "message": {"type": "string"},
        "attributes": {"type": "object"},
    },
    "required": ["statusCode", "error", "message"],
    "additionalProperties": False,
}


def edge_refusals(route: Route, contract: Contract, server: ServerSettings) -> Iterator[Refusal]:
    """Those that come before a handler, and those that any may end with."""
    if route.login:
        yield Refusal(401, Rejected.unauthorized().message)
        yield Refusal(429, TooManyLogins().message)
    yield Refusal(413, Rejected.too_large("<bytes>").message)
    yield from _refusals_of_a_body(contract)
    yield Refusal(400, incoming.outdated_text("<version>"))
    if incoming.needs_xsrf(route.method, route.path):
        yield Refusal(400, incoming.XSRF_TEXT)
    if route.is_internal and server.restrict_internal_apis:
        yield Refusal(400, incoming.not_internal_text("<path>", "<method>"))
    yield from _refusals_of_schemas(contract)
    if contract.repeatable:
        yield Refusal(400, incoming.bad_command_id_text("<text>"))
        yield Refusal(503, OutcomeUnknown.of_command("<command id>").message)
    yield Refusal(500, INTERNAL.message)
    yield Refusal(503, AWAY.message)


def _refusals_of_a_body(contract: Contract) -> Iterator[Refusal]:
    if contract.body is None:
        return
    yield Refusal(415, incoming.MEDIA_TYPE_TEXT)
    yield Refusal(408, incoming.too_slow_text("<number>"))
    yield Refusal(400, incoming.BROKEN_FORM_TEXT if contract.body_type == FORM else json_bodies.SYNTAX_TEXT)


def _refusals_of_schemas(contract: Contract) -> Iterator[Refusal]:
    checked = {"params": contract.params, "query": contract.query, "body": contract.body}
    for part, shape in checked.items():
        if shape is not None:
            yield Refusal(400, f"[request {part}<.path>]: <what is wrong with it>")


def edge_parameters(route: Route, contract: Contract, server: ServerSettings) -> Iterator[JsonObject]:
    """The headers that a request needs, or may have."""
    if incoming.needs_xsrf(route.method, route.path):
        yield _header(incoming.XSRF_HEADER, "Any value", required=True)
    if route.is_internal and server.restrict_internal_apis:
        yield _header(incoming.INTERNAL_ORIGIN_HEADER, "Any value", required=True)
    if contract.repeatable:
        text = "An id chosen by the caller, under which the same request is safe to repeat"
        yield _header(incoming.COMMAND_ID_HEADER, text, schema={"type": "string", "format": "uuid"})


def _header(name: str, description: str, *, required: bool = False, schema: Json = None) -> JsonObject:
    return {
        "name": name,
        "in": "header",
        "description": description,
        "required": required,
        "schema": schema or {"type": "string"},
    }
