"""The schemas of the records on the log, in the shapes of Confluent's registry API, read-only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from connectory.domain.json_types import Json, JsonObject
from connectory.gateway.contracts import system
from connectory.gateway.outgoing import answer
from connectory.gateway.routing import Call, Route
from connectory_schemas.registry import NotRegistered, RegisteredSchema, SchemaRegistry

ERROR_CODES: Final[Mapping[str, int]] = {"subject": 40401, "version": 40402, "schema": 40403}
"""By what is missing. Clients of the registry go by these, not by the status."""

INVALID_VERSION: Final = 42202


@dataclass(frozen=True, slots=True)
class SchemaRoutes:
    schemas: SchemaRegistry

    def table(self) -> tuple[Route, ...]:
        versions = "/subjects/{subject:[^/]+}/versions"
        return (
            Route("GET", "/schemas/ids/{id:[^/]+}", self.schema, spaced=False, contract=system.SCHEMA),
            Route("GET", "/subjects", self.subjects, spaced=False, contract=system.SUBJECTS),
            Route("GET", versions, self.versions, spaced=False, contract=system.VERSIONS),
            Route("GET", versions + "/{version:[^/]+}", self.version, spaced=False, contract=system.VERSION),
        )

    async def schema(self, call: Call) -> web.Response:
        given = call.path("id")
        return _answered(lambda: {"schema": self.schemas.by_id(_schema_id(given))})

    async def subjects(self, call: Call) -> web.Response:
        return answer(self.schemas.subjects())

    async def versions(self, call: Call) -> web.Response:
        return _answered(lambda: self.schemas.versions(call.path("subject")))

    async def version(self, call: Call) -> web.Response:
        subject, given = call.path("subject"), call.path("version")
        if given == "latest":
            return _answered(lambda: _shown(self.schemas.latest(subject)))
        number = _number(given)
        if not number:
            text = f"The specified version '{given}' is not a valid version id: a number from 1, or \"latest\""
            return answer({"error_code": INVALID_VERSION, "message": text}, status=422)
        return _answered(lambda: _shown(self.schemas.version(subject, number)))


def _answered(find: Callable[[], Json]) -> web.Response:
    try:
        return answer(find())
    except NotRegistered as missing:
        body: JsonObject = {"error_code": ERROR_CODES[missing.missing], "message": missing.message}
        return answer(body, status=404)


def _shown(schema: RegisteredSchema) -> JsonObject:
    return {"subject": schema.subject, "version": schema.version, "id": schema.id, "schema": schema.text}


def _schema_id(text: str) -> int:
    """Raises `NotRegistered` for what is no number: no schema has it as its id."""
    number = _number(text)
    if number is None:
        raise NotRegistered("schema", f"Schema {text} not found")
    return number


def _number(text: str) -> int | None:
    """A schema id or version; None for anything else, a number beyond 32 bits too."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
