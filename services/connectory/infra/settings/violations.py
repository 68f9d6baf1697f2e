"""How a problem with a setting is worded, one line each. No line holds the value of a secret."""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from connectory.infra.settings.declaration import Undefined

_PREFIXES: Final = ("xpack.actions", "xpack.encryptedSavedObjects", "server", "connectory")

_EXPECTED: Final = {
    "string": "string",
    "int": "number",
    "bool": "boolean",
    "tuple": "array",
    "model": "object",
    "dict": "object",
    "path": "string",
    "time_delta": "duration",
}
_TYPE_NAMES: Final = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}


def violation(name: str, reason: str) -> str:
    """`config validation of [xpack.actions]: [allowedHosts]: {reason}` for `xpack.actions.allowedHosts`."""
    prefix = next((prefix for prefix in _PREFIXES if name.startswith(f"{prefix}.")), "")
    path = name.removeprefix(f"{prefix}.")
    return f"config validation of [{prefix}]: [{path}]: {reason}"


def unknown_key(name: str, known: Iterable[str]) -> str:
    nearest = get_close_matches(name, list(known), n=1)
    hint = f' Did you mean "{nearest[0]}"?' if nearest else ""
    return f"[{name}]: definition for this key is missing.{hint}"


def violations(error: ValidationError) -> list[str]:
    """All problems of a validation, each setting under its dotted name."""
    details = error.errors(include_url=False)
    return [_line(detail) for detail in details]


def _line(detail: ErrorDetails) -> str:
    place, value = detail["loc"], detail["input"]
    at = next((i for i, part in enumerate(place) if "." in str(part)), None)
    if at is None:
        return reason(detail)
    if isinstance(value, Undefined) and value.name:
        place = (*place[:-1], value.name)
    name = ".".join(str(part) for part in place[at:] if not _is_internal(part))
    return violation(name, reason(detail))


def _is_internal(part: int | str) -> bool:
    """Steps that pydantic adds for its own structures, such as `function-after[…]`."""
    return isinstance(part, str) and "[" in part


def reason(detail: ErrorDetails) -> str:
    """What is wrong with the value, without where it stands."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _REASONS:
        return _REASONS[kind](context, detail["input"])
    expected = next((word for start, word in _EXPECTED.items() if kind.startswith(f"{start}_")), None)
    if expected is None:
        return detail["msg"]
    return f"expected value of type [{expected}] but got [{_type_name(detail['input'])}]"


def _type_name(value: object) -> str:
    if isinstance(value, Undefined):
        return "undefined"
    return "null" if value is None else _TYPE_NAMES.get(type(value), type(value).__name__)


def _too_short(context: Mapping[str, Any], value: object) -> str:
    actual, least = context["actual_length"], context["min_length"]
    if isinstance(value, list | tuple):
        return f"array size is [{actual}], but cannot be smaller than [{least}]"
    return f"value has length [{actual}] but it must have a minimum length of [{least}]."


_REASONS: Final[Mapping[str, Callable[[Mapping[str, Any], object], str]]] = {
    "value_error": lambda context, _value: str(context["error"]),
    "missing": lambda _context, _value: "expected value of type [string] but got [undefined]",
    "extra_forbidden": lambda _context, _value: "definition for this key is missing",
    "greater_than_equal": lambda context, _value: f"Value must be equal to or greater than [{context['ge']}].",
    "less_than_equal": lambda context, _value: f"Value must be equal to or lower than [{context['le']}].",
    "too_short": _too_short,
    "string_too_short": lambda context, value: _too_short({**context, "actual_length": len(str(value))}, value),
    "literal_error": lambda context, value: f"expected value to equal one of {context['expected']} but got [{value}]",
}
