"""What the schemas of config, secrets and params have in common: strict, closed, camel case on the wire.

A field is declared once, in the type's own file; forms and the reference are made from the same declaration, in the
same order. `about` gives it a label and a help text. `X | None = None` is nullable: saved as null when it was not
given. `Absentable[X] = None` may be left out, but not be null, and then stays absent in what is saved. `Unsaved` marks
a default that acts at run time only. Every field of a `SecretSchema` is secret, unless it says that it may be shown.
"""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_serializer,
)
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from connectory.connector_types.json_text import parse_json
from connectory.domain.json_types import JsonObject

T = TypeVar("T")

OWN_RULE = "own_rule"
NULL_REFUSED = "null_refused"


class _UnsavedMark:
    """A field with this mark is saved only when it was given."""


UNSAVED = _UnsavedMark()


Widget = Literal["text", "multiline", "json", "password", "file"]


def about(title: str, description: str = "", *, widget: Widget | None = None, shown: bool = False) -> Any:
    """What users read of a field, for `Annotated[str, about("URL", "Where requests go")]`.

    `widget` is how a form asks for it, where its type does not say enough; `shown` marks a field among secrets that is
    none, like a user name.
    """
    hints: dict[str, Any] = {"widget": widget, "shown": shown or None}
    extra = {name: hint for name, hint in hints.items() if hint is not None}
    described: FieldInfo = Field(title=title, description=description or None, json_schema_extra=extra or None)
    return described


def own_rule(text: str) -> PydanticCustomError:
    """To be raised in a validator: a rule that a type makes itself, worded by the type."""
    writable = text.encode(errors="replace").decode()  # half a surrogate pair may come in with what it quotes
    return PydanticCustomError(OWN_RULE, "{text}", {"text": writable})


def _refuse_null(value: object) -> object:
    if value is None:
        raise PydanticCustomError(NULL_REFUSED, "null is not allowed")
    return value


def _parsed(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return parse_json(value)
    except ValueError:
        return value


def _as_given(value: object, check: ValidatorFunctionWrapHandler) -> object:
    check(value)
    return value


Number = Annotated[float, WrapValidator(_as_given), PlainSerializer(lambda number: number)]
"""A whole number stays one."""

OR_JSON_TEXT = BeforeValidator(_parsed)
"""A text of JSON stands for what it says; one that is none is left as it is, to be refused."""

Unsaved = Annotated[T, UNSAVED]
Absentable = Annotated[T | None, BeforeValidator(_refuse_null), UNSAVED]


class Schema(BaseModel):
    """Nothing is coerced, no unknown key accepted, and no input shown in an error."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, alias_generator=to_camel, hide_input_in_errors=True
    )

    @model_serializer(mode="wrap")
    def _leave_out_what_was_not_given(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        saved: dict[str, Any] = serialize(self)
        for name, declared in type(self).model_fields.items():
            if UNSAVED in declared.metadata and name not in self.model_fields_set:
                saved.pop(declared.alias or name, None)
        return saved


class SecretSchema(Schema):
    """A schema whose values never show in a repr."""

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        return []


class Answer(BaseModel):
    """A schema of what a service answers, in its own names: keys that nobody here asked for are kept."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True, hide_input_in_errors=True)


class Nothing(Schema):
    """No keys at all."""


def saved(model: BaseModel) -> JsonObject:
    """The validated object as it is saved and returned."""
    return model.model_dump(mode="json", by_alias=True)
