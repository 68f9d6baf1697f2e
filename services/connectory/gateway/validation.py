"""Schema checks of params, query and body with the texts that clients of Kibana know.

A schema is a pydantic model; this module checks a value against it and words the first problem. Declared keys are
reported in their order, before unknown ones. No value of the caller's stands in an error's cause: it may be a secret.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Final, Literal, NoReturn, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from connectory.domain.json_types import json_type
from connectory.gateway.errors import Rejected

Part: TypeAlias = Literal["params", "query", "body"]
Path: TypeAlias = tuple[str | int, ...]
JsonSchema: TypeAlias = dict[str, Any]

JS_WHITESPACE: Final = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What JavaScript's `trim` takes away; Python's `strip` takes some more and leaves one."""

LONGEST_KEY: Final = 256


class Schema(BaseModel):
    """A body, query or set of params: unknown keys refused, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


M = TypeVar("M", bound=Schema)


def check(model: type[M], value: object, part: Part, path: Path = ()) -> M:
    """Return the value as a model. Raises `Rejected` (400) with the text of the first problem."""
    if not isinstance(value, Mapping):
        text = f"expected a plain object value, but found [{json_type(value)}] instead."
        raise violation(part, path, text)
    try:
        return model.model_validate(value)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False)[0]
    raise violation(part, (*path, *_location(first)), _text(model, first, part, path))


def violation(part: Part, path: Path, text: str) -> Rejected:
    return Rejected.bad_request(f"[{_place(part, path)}]: {text}")


def text_length(text: str) -> int:
    """Length in UTF-16 code units, as JavaScript counts."""
    return len(text) + sum(character > "\uffff" for character in text)


def is_blank(text: str) -> bool:
    return not text.strip(JS_WHITESPACE)


def problem(text: str, path: Path = ()) -> PydanticCustomError:
    """A problem with its text ready to be shown, at `path` below the field. Braces in the text stay as they are."""
    return PydanticCustomError("worded", "{text}", {"text": text, "path": path})


def never_null(expected: str) -> BeforeValidator:
    """For a key that may be left out, but not be null; `expected` is the type that it has otherwise."""

    def checked(value: object) -> object:
        if value is None:
            raise problem(f"expected value of type [{expected}] but got [null]")
        return value

    return BeforeValidator(checked)


def too_long_text(length: int, limit: int) -> str:
    return f"value has length [{length}] but it must have a maximum length of [{limit}]."


def at_most(limit: int) -> AfterValidator:
    def checked(text: str) -> str:
        if text_length(text) > limit:
            raise problem(too_long_text(text_length(text), limit))
        return text

    return AfterValidator(checked)


def at_least_one_character(text: str) -> str:
    if not text:
        raise problem("value has length [0] but it must have a minimum length of [1].")
    return text


def not_blank(text: str) -> str:
    if is_blank(text):
        raise problem("value '' is not valid")
    return text


def one_of(*literals: str) -> BeforeValidator:
    def checked(value: object) -> object:
        if value not in literals:
            raise PydanticCustomError("none_of", "none of the literals", {"literals": literals})
        return value

    return BeforeValidator(checked)


def _keys_short_and_texts_not_blank(record: dict[str, Any]) -> dict[str, Any]:
    for key, value in record.items():
        if text_length(key) > LONGEST_KEY:
            raise problem(too_long_text(text_length(key), LONGEST_KEY), (f'key("{key}")',))
        _refuse_blank(value, (key,))
    return record


def _refuse_blank(value: object, path: Path) -> None:
    """Through nested objects, not through arrays."""
    if isinstance(value, str) and is_blank(value):
        raise problem("value '' is not valid", path)
    if isinstance(value, dict):
        for key, nested in value.items():
            _refuse_blank(nested, (*path, key))


def _moment(value: object) -> object:
    """An ISO 8601 date-time with its offset from UTC."""
    if not isinstance(value, str):
        raise problem(f"expected value of type [string] but got [{json_type(value)}]")
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else _not_a_moment(value)
    except (ValueError, OverflowError):
        return _not_a_moment(value)


def _not_a_moment(value: str) -> NoReturn:
    raise problem(f"expected a date-time such as 2025-09-30T12:00:00.000Z but got [{value}]")


def _whole(value: object) -> object:
    """JSON has one type of numbers: 2.0 is 2."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, float):
        raise problem(f"expected an integer but got [{value}]")
    return value


def _flag(value: object) -> object:
    """A query parameter that is a boolean."""
    return value == "true" if value in ("true", "false") else value


def _numeral(value: object) -> object:
    """A query parameter that is a number."""
    if isinstance(value, str) and value.isascii() and value.removeprefix("-").isdecimal():
        return int(value)
    return value


ConnectorRecord: TypeAlias = Annotated[dict[str, Any], AfterValidator(_keys_short_and_texts_not_blank)]
"""Config or secrets: short keys, no blank strings at any depth of nested objects."""

Moment: TypeAlias = Annotated[datetime, BeforeValidator(_moment)]
WholeNumber: TypeAlias = Annotated[int, BeforeValidator(_whole)]
Numeral: TypeAlias = Annotated[int, BeforeValidator(_numeral)]
Flag: TypeAlias = Annotated[bool, BeforeValidator(_flag)]

_EXPECTED: Final = {
    "string_type": "string",
    "dict_type": "object",
    "model_type": "object",
    "list_type": "array",
    "int_type": "number",
    "float_type": "number",
    "bool_type": "boolean",
}


def _text(model: type[Schema], found: ErrorDetails, part: Part, path: Path) -> str:
    kind, context = found["type"], found.get("ctx", {})
    match kind:
        case "missing":
            return f"expected value of type [{_declared_type(model, found['loc'])}] but got [undefined]"
        case "extra_forbidden":
            return "definition for this key is missing"
        case "worded":
            return str(context["text"])
        case "none_of":
            return _union_text(context["literals"], _place(part, (*path, *found["loc"])))
        case "too_long":
            return f"array size is [{context['actual_length']}], but cannot be greater than [{context['max_length']}]"
        case "too_short":
            return f"array size is [{context['actual_length']}], but cannot be smaller than [{context['min_length']}]"
        case "less_than_equal":
            return f"Value must be equal to or lower than [{_limit(context['le'])}]."
        case "greater_than_equal":
            return f"Value must be equal to or greater than [{_limit(context['ge'])}]."
        case _ if kind in _EXPECTED:
            return f"expected value of type [{_EXPECTED[kind]}] but got [{json_type(found['input'])}]"
        case _:
            return found["msg"]


def _limit(number: float) -> str:
    """As JSON has it in its shortest form: pydantic makes floats of the limits of a float."""
    return str(int(number) if float(number).is_integer() else number)


def _union_text(literals: Sequence[str], place: str) -> str:
    alternatives = (
        f"- [{place}.{number}]: expected value to equal [{literal}]" for number, literal in enumerate(literals)
    )
    return "\n".join(("types that failed validation:", *alternatives))


def _declared_type(model: type[Schema], location: Path) -> str:
    """The JSON type of what the model declares there: through nested models, lists, records and alternatives."""
    whole = _json_schema(model)
    declared = [whole]
    for step in location:
        below = [found for schema in declared for found in _declared_below(schema, step)]
        declared = [each for schema in below for each in _alternatives(schema, whole)]
    kind = str(declared[0]["type"])
    return "number" if kind == "integer" else kind  # clients know one type of numbers


def _declared_below(schema: JsonSchema, step: str | int) -> Iterator[JsonSchema]:
    if step in (properties := schema.get("properties", {})):
        yield properties[step]
    elif isinstance(step, int) and "items" in schema:
        yield schema["items"]
    elif isinstance(further := schema.get("additionalProperties"), dict):
        yield further


def _alternatives(schema: JsonSchema, whole: JsonSchema) -> Iterator[JsonSchema]:
    if "$ref" in schema:
        yield from _alternatives(whole["$defs"][schema["$ref"].removeprefix("#/$defs/")], whole)
    elif "anyOf" in schema:
        for each in schema["anyOf"]:
            yield from _alternatives(each, whole)
    else:
        yield schema


@cache
def _json_schema(model: type[Schema]) -> JsonSchema:
    return model.model_json_schema()


def _location(found: ErrorDetails) -> Path:
    return (*found["loc"], *found.get("ctx", {}).get("path", ()))


def _place(part: Part, path: Path) -> str:
    return ".".join((f"request {part}", *map(str, path)))
