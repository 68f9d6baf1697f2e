"""Problems of config, secrets and params, in the words that clients know.

One entry a problem, shorter paths first: `✖ {problem}`, then `  → at {dotted path}` unless the path is empty. The
texts of pydantic are never shown; a problem is worded from its kind and the declaration at its path.
"""

import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from connectory.connector_types.schemas import OWN_RULE
from connectory.domain.json_types import json_type

Path = tuple[int | str, ...]


class Problem(NamedTuple):
    path: Path
    text: str


def detail(error: ValidationError, schema: type[BaseModel]) -> str:
    """Word everything that is wrong with an object of this schema. No value of the object is shown, only its keys."""
    problems = dict.fromkeys(_problems(error.errors(include_url=False), schema))
    return "\n".join(_entry(problem) for problem in sorted(problems, key=lambda problem: len(problem.path)))


def _entry(problem: Problem) -> str:
    return f"✖ {problem.text}" + (f"\n  → at {_dotted(problem.path)}" if problem.path else "")


def _dotted(path: Path) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _problems(errors: Sequence[ErrorDetails], schema: type[BaseModel]) -> Iterable[Problem]:
    unknown: dict[Path, list[str]] = {}
    for error in errors:
        *parents, key = error["loc"] or ("",)
        path, declared = _declared_at(schema, tuple(parents))
        if error["type"] == "extra_forbidden" and not _is_union(declared):
            unknown.setdefault(path, []).append(str(key))
        else:
            yield _problem(error, schema)
    for path, keys in unknown.items():
        yield Problem(path, _unrecognized(keys))


def _unrecognized(keys: Sequence[str]) -> str:
    return f"Unrecognized key{'s' if len(keys) > 1 else ''}: " + ", ".join(f'"{key}"' for key in keys)


def _problem(error: ErrorDetails, schema: type[BaseModel]) -> Problem:
    path, declared = _declared_at(schema, error["loc"])
    if _is_union(declared):
        return Problem(path, "Invalid input")
    worded = _WORDED.get(error["type"])
    if worded is not None:
        return Problem(path, worded(error.get("ctx", {})))
    if error["type"] == OWN_RULE:
        return Problem(path, error["msg"])
    return Problem(path, _wrong_type(declared, error))


def _declared_at(schema: type[BaseModel], loc: Path) -> tuple[Path, Any]:
    """Follow a location from the schema to the declaration that it names; a union ends the way."""
    declared: Any = schema
    for depth, part in enumerate(loc):
        if _is_union(declared):
            return loc[:depth], declared
        declared = _inside(declared, part)
    return loc, declared


def _inside(declared: Any, part: int | str) -> Any:
    if isinstance(declared, type) and issubclass(declared, BaseModel):
        by_alias = {field.alias or name: field for name, field in declared.model_fields.items()}
        return _bare(by_alias[str(part)].annotation) if part in by_alias else object
    return _bare(get_args(declared)[-1]) if get_args(declared) else object


def _bare(annotation: Any) -> Any:
    """The declaration without its annotations and without null."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    members = [member for member in get_args(annotation) if member is not types.NoneType]
    if get_origin(annotation) in _UNIONS and len(members) == 1:
        return _bare(members[0])
    return annotation


def _is_union(declared: Any) -> bool:
    return get_origin(declared) in _UNIONS


def _wrong_type(declared: Any, error: ErrorDetails) -> str:
    received = "undefined" if error["type"] == "missing" else json_type(error["input"])
    match get_origin(declared):
        case origin if origin is Literal:
            return _options(get_args(declared))
        case origin:
            return f"Invalid input: expected {_expected_type(origin or declared)}, received {received}"


def _options(options: Sequence[object]) -> str:
    quoted = [f'"{option}"' if isinstance(option, str) else str(option) for option in options]
    if len(quoted) == 1:
        return f"Invalid input: expected {quoted[0]}"
    return "Invalid option: expected one of " + "|".join(quoted)


def _expected_type(declared: Any) -> str:
    if isinstance(declared, type) and issubclass(declared, BaseModel):
        return "object"
    return _EXPECTED.get(declared, "nonoptional")


def _plain(limit: float) -> float:
    """A limit as JSON writes it: whole numbers without a fraction."""
    return int(limit) if limit == int(limit) else limit


_UNIONS: Final = (Union, types.UnionType)
_EXPECTED: Final[Mapping[Any, str]] = {
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    list: "array",
    dict: "record",
}
_WORDED: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "string_unicode": lambda _: "Invalid input: half of a surrogate pair is no character",
    "string_too_short": lambda limit: f"Too small: expected string to have >={limit['min_length']} characters",
    "string_too_long": lambda limit: f"Too big: expected string to have <={limit['max_length']} characters",
    "greater_than": lambda limit: f"Too small: expected number to be >{_plain(limit['gt'])}",
    "greater_than_equal": lambda limit: f"Too small: expected number to be >={_plain(limit['ge'])}",
    "less_than_equal": lambda limit: f"Too big: expected number to be <={_plain(limit['le'])}",
    "too_short": lambda limit: f"Too small: expected array to have >={limit['min_length']} items",
    "too_long": lambda limit: f"Too big: expected array to have <={limit['max_length']} items",
    "url_parsing": lambda _limit: "Invalid URL",
    "url_scheme": lambda _limit: "Invalid URL",
}
