"""The OpenAPI document of all routes."""

from collections.abc import Sequence
from functools import cache

from aiohttp import web

from connectory.gateway import json_bodies
from connectory.gateway.contracts import system
from connectory.gateway.document import openapi
from connectory.gateway.outgoing import answer_bytes
from connectory.gateway.routing import Call, Route
from connectory.infra.settings import ServerSettings


def with_document(routes: Sequence[Route], server: ServerSettings) -> list[Route]:
    """The routes, and the one that serves the document of them all, itself included."""

    @cache
    def document() -> bytes:
        return json_bodies.write(openapi(everything, server))

    async def get(_: Call) -> web.Response:
        return answer_bytes(document())

    own = Route("GET", "/api/connectory/openapi.json", get, spaced=False, contract=system.OPENAPI)
    everything = [*routes, own]
    return everything
