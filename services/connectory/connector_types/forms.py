"""Fields of a schema as forms and the reference show them, read off the declaration."""

import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from connectory.connector_types.schemas import UNSAVED, SecretSchema


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """`name` is that on the wire; `kind` is a JSON type. `options` are the values of a closed set.

    `saved_default`: the default is saved with the connector; otherwise it only acts at run time.
    """

    name: str
    title: str
    description: str
    kind: str
    required: bool
    nullable: bool
    default: object
    saved_default: bool
    secret: bool
    widget: str
    options: tuple[str, ...] = ()
    fields: tuple["FormField", ...] = ()


def form_fields(schema: type[BaseModel]) -> tuple[FormField, ...]:
    """In the order of declaration, which is that on the page."""
    return tuple(_fields(schema))


def _fields(schema: type[BaseModel]) -> Iterator[FormField]:
    for attribute, declared in schema.model_fields.items():
        hints = declared.json_schema_extra if isinstance(declared.json_schema_extra, dict) else {}
        kind, options, inner = _kind(declared.annotation)
        secret = issubclass(schema, SecretSchema) and not hints.get("shown")
        name = declared.alias or attribute
        yield FormField(
            name=name,
            title=declared.title or name,
            description=declared.description or "",
            kind=kind,
            required=declared.is_required(),
            nullable=_nullable(declared) and UNSAVED not in declared.metadata,
            default=None if declared.is_required() else declared.get_default(call_default_factory=False),
            saved_default=UNSAVED not in declared.metadata,
            secret=secret,
            widget=str(hints.get("widget") or _widget(kind, options, secret=secret)),
            options=options,
            fields=inner,
        )


def _widget(kind: str, options: tuple[str, ...], *, secret: bool) -> str:
    if secret:
        return "password"
    if options:
        return "select"
    return {"boolean": "switch", "number": "number", "array": "list", "object": "map"}.get(kind, "text")


def _nullable(declared: FieldInfo) -> bool:
    return types.NoneType in get_args(declared.annotation)


def _kind(annotation: Any) -> tuple[str, tuple[str, ...], tuple[FormField, ...]]:
    """JSON type, options and inner fields of an annotation; those of the first member of a union that is not null."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kind(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        members = [member for member in get_args(annotation) if member is not types.NoneType]
        return _kind(members[0])
    if origin is Literal:
        return "string", tuple(map(str, get_args(annotation))), ()
    if origin is list:
        return "array", (), _kind(get_args(annotation)[0])[2]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "object", (), form_fields(annotation)
    return _KINDS.get(origin or annotation, "any"), (), ()


_KINDS: dict[Any, str] = {str: "string", bool: "boolean", int: "number", float: "number", list: "array", dict: "object"}
