"""The OpenAPI 3.1 document, made from the routes and their contracts.

Spaces are servers: every path below `/s/{space_id}` is the same path in that space. The exact texts of refusals stand
beside each response: those of the route as `x-texts`, those that any route may have as `x-edge-texts`.
"""

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode

import connectory
from connectory.domain.json_types import Json, JsonObject
from connectory.gateway.contract import Answer, Contract, Refusal, Shape
from connectory.gateway.edge_contract import ERROR_BODY, edge_parameters, edge_refusals
from connectory.gateway.routing import Route
from connectory.infra.settings import ServerSettings

_PARAMETER: Final = re.compile(r"\{(\w+)\}")
REF: Final = "#/components/schemas/{model}"

SECURITY_SCHEMES: Final[JsonObject] = {
    "basic": {"type": "http", "scheme": "basic"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`ApiKey <encoded>`"},
}


def openapi(routes: Iterable[Route], server: ServerSettings) -> JsonObject:
    """The document of all routes that have a contract."""
    described = [_Described(route, route.contract) for route in routes if route.contract]
    models = _Models.of([wanted for each in described for wanted in each.models()])
    paths: dict[str, dict[str, Json]] = defaultdict(dict)
    for each in described:
        paths[each.route.template][each.route.method.lower()] = each.operation(models, server)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Connectory",
            "version": connectory.__version__,
            "description": "Connections to other systems, compatible with the connectors API of Kibana 9.3.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [_bare(server), _in_a_space(server)],
        "security": [{name: []} for name in SECURITY_SCHEMES],
        "paths": dict(paths),
        "components": {"schemas": {**models.definitions, "Error": ERROR_BODY}, "securitySchemes": SECURITY_SCHEMES},
    }


def _bare(server: ServerSettings) -> JsonObject:
    return {"url": server.base_path or "/", "description": "The space `default`"}


def _in_a_space(server: ServerSettings) -> JsonObject:
    space: JsonObject = {"default": "default", "description": "Of `[a-z0-9_-]+`"}
    return {"url": server.base_path + "/s/{space_id}", "variables": {"space_id": space}}


@dataclass(frozen=True, slots=True)
class _Models:
    """The JSON Schemas of all models, under names that differ."""

    schemas: Mapping[tuple[Hashable, JsonSchemaMode], dict[str, Any]]
    definitions: JsonObject

    @classmethod
    def of(cls, wanted: Iterable[tuple[Any, JsonSchemaMode]]) -> "_Models":
        adapters: list[tuple[Hashable, JsonSchemaMode, TypeAdapter[object]]] = [
            (shape, mode, TypeAdapter(shape)) for shape, mode in dict.fromkeys(wanted)
        ]
        schemas, together = TypeAdapter.json_schemas(adapters, ref_template=REF)
        return cls(schemas, together.get("$defs", {}))

    def schema(self, shape: Shape, mode: JsonSchemaMode) -> JsonObject:
        return self.schemas[(shape, mode)] if not isinstance(shape, Mapping) else shape

    def fields(self, model: type[BaseModel] | None) -> Iterator[tuple[str, JsonObject, bool]]:
        """Of params or a query: name, schema, and whether it is required."""
        if model is not None:
            found = model.model_json_schema(ref_template=REF)
            for name, schema in found.get("properties", {}).items():
                yield name, schema, name in found.get("required", ())


@dataclass(frozen=True, slots=True)
class _Described:
    route: Route
    contract: Contract

    def models(self) -> Iterator[tuple[Any, JsonSchemaMode]]:
        if self.contract.body is not None and not isinstance(self.contract.body, Mapping):
            yield self.contract.body, "validation"
        for answer in self.contract.answers:
            if answer.body is not None and not isinstance(answer.body, Mapping):
                yield answer.body, "serialization"

    def operation(self, models: _Models, server: ServerSettings) -> JsonObject:
        shown: dict[str, Json] = {
            "operationId": _operation_id(self.route),
            "summary": self.contract.summary,
            "tags": [_tag(self.route)],
            "parameters": self._parameters(models, server),
            "responses": self._responses(models, server),
        }
        if self.contract.body is not None:
            content: JsonObject = {self.contract.body_type: {"schema": models.schema(self.contract.body, "validation")}}
            shown["requestBody"] = {"required": self.contract.body_required, "content": content}
        if not self.route.login:
            shown["security"] = [{}, *({name: []} for name in SECURITY_SCHEMES)]
        if not self.route.spaced:
            shown["servers"] = [_bare(server)]
        return shown

    def _parameters(self, models: _Models, server: ServerSettings) -> list[Json]:
        declared = {name: schema for name, schema, _ in models.fields(self.contract.params)}
        in_path: list[Json] = [
            {"name": name, "in": "path", "required": True, "schema": declared.get(name, {"type": "string"})}
            for name in _PARAMETER.findall(self.route.template)
        ]
        in_query: list[Json] = [
            {"name": name, "in": "query", "required": required, "schema": schema}
            for name, schema, required in models.fields(self.contract.query)
        ]
        return [*in_path, *in_query, *edge_parameters(self.route, self.contract, server)]

    def _responses(self, models: _Models, server: ServerSettings) -> JsonObject:
        answers: dict[int, list[Answer]] = defaultdict(list)
        for answer in self.contract.answers:
            answers[answer.status].append(answer)
        own = _texts(self.contract.refusals)
        edge = _texts(edge_refusals(self.route, self.contract, server))
        return {
            str(status): _response(status, answers[status], own[status], edge[status], models)
            for status in sorted({*answers, *own, *edge})
        }


def _texts(refusals: Iterable[Refusal]) -> dict[int, list[str]]:
    texts: dict[int, list[str]] = defaultdict(list)
    for refusal in dict.fromkeys(refusals):
        texts[refusal.status].append(refusal.text)
    return texts


def _response(
    status: int, answers: Sequence[Answer], own: Sequence[str], edge: Sequence[str], models: _Models
) -> JsonObject:
    content: dict[str, list[Json]] = defaultdict(list)
    for answer in answers:
        if answer.body is not None:
            content[answer.content_type].append(models.schema(answer.body, "serialization"))
    if own or edge:
        content["application/json"].append({"$ref": REF.format(model="Error")})
    shown: dict[str, Json] = {
        "description": "; or ".join(answer.description for answer in answers) or HTTPStatus(status).phrase,
        "content": {kind: {"schema": _any_of(schemas)} for kind, schemas in content.items()},
        "x-texts": own,
        "x-edge-texts": edge,
    }
    return {key: value for key, value in shown.items() if value}


def _any_of(schemas: Sequence[Json]) -> Json:
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _operation_id(route: Route) -> str:
    words = route.template.replace("{", "by_").replace("}", "").replace("*", "").replace(".", "").lstrip("/")
    return f"{route.method.lower()}_{words.replace('/', '_').replace('-', '_')}"


def _tag(route: Route) -> str:
    """What the route is about: the word after `api` or `internal`, else the first."""
    words = [word for word in route.template.split("/") if word and word not in ("api", "internal")]
    return words[0] if words else "root"
