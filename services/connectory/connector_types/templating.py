"""Mustache templates in params: which variables they see, and how values are printed.

Variables are JSON. A lookup goes through mappings and arrays and nothing else, so that a template cannot reach the
attributes of a Python object. Rendering never raises: a broken template renders as a text that says so.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, cast

import mstache

from connectory.connector_types.escapes import ESCAPES, Escape
from connectory.connector_types.lambdas import LAMBDAS
from connectory.domain.json_types import Json, JsonObject

COMPILED_TEMPLATES = 512
"""How many compiled templates are kept. Rules use the same few over and over."""

_compiled: Final = cast("mstache.CompiledTemplateCache", mstache.LRUCache(COMPILED_TEMPLATES))
_ABSENT: Final = object()

_NOTHING: Final = "{{&}}"
"""A variable without a name, which prints as nothing."""

_BLOCK_TAG: Final = r"\{\{[#^/!>](?:(?!\}\}).)*\}\}"
_TAG_AT_LINE_END: Final = re.compile(
    rf"^(?!(?:[^\S\n]*{_BLOCK_TAG})+[^\S\n]*$)(.*\}}\}}{_BLOCK_TAG})(?=[^\S\n]*$)", re.MULTILINE
)
"""Of a line that has more than such tags, up to one that directly follows another tag and ends the line."""


class Render:
    """Renders templates against the variables of a run; `variables` are as they were given.

    `connector_id` is whose params they are in, `now` when: for a type that makes more of its params than to fill them
    in.
    """

    def __init__(self, variables: JsonObject, connector_id: str, now: datetime) -> None:
        self.variables: Final = variables
        self.connector_id: Final = connector_id
        self.now: Final = now
        self._scope = _with_nested_paths(variables)

    def __call__(self, template: str, escape: Escape = "none") -> str:
        return _render(template, self._scope, escape)


def render_strings(value: Json, render: Render) -> Json:
    """Render every string in the value, at any depth, unescaped."""
    match value:
        case str():
            return render(value)
        case Mapping():
            return render_object(value, render)
        case Sequence():
            return [render_strings(item, render) for item in value]
        case _:
            return value


def render_object(value: JsonObject, render: Render) -> JsonObject:
    return {key: render_strings(item, render) for key, item in value.items()}


def _render(template: str, scope: Json, escape: Escape) -> str:
    if "{{" not in template:
        return template
    escape_text = ESCAPES[escape]
    try:
        return mstache.render(
            _with_line_breaks_kept(template),
            scope,
            getter=_look_up,
            stringify=lambda value, _text: printed(value).encode(),
            escape=lambda printed_value: escape_text(printed_value.decode()).encode(),
            cache=_compiled,
        )
    except Exception as error:  # whatever a template may do wrong, its text says so
        return f'error rendering mustache template "{template}": {error}'


def _with_line_breaks_kept(template: str) -> str:
    """Keep the library from dropping the line break after `{{name}}{{! why }}`.

    It takes a tag that directly follows another for the first of its line, and a line of nothing but such tags is
    dropped whole. A variable behind the tag, which prints as nothing, says otherwise. Templates that change their
    delimiters are left alone, since there the variable could be plain text.
    """
    return template if "{{=" in template else _TAG_AT_LINE_END.sub(rf"\1{_NOTHING}", template)


def printed(value: Json) -> str:
    """A value as a template prints it: arrays joined by commas, objects as JSON, null as nothing."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case Mapping():
            return _json(value)
        case Sequence():
            return ",".join(printed(item) for item in value)
        case _:
            return str(value)


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _with_nested_paths(value: Json) -> Json:
    """Copy JSON so that a key `a.b` is also found at b of a, and whole numbers print without a fraction."""
    match value:
        case Mapping():
            return _nested({key: _with_nested_paths(item) for key, item in value.items()})
        case str():
            return value
        case Sequence():
            return [_with_nested_paths(item) for item in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def _nested(flat: dict[str, Json]) -> dict[str, Json]:
    """What stands at a path already is never overwritten."""
    for key in [key for key in flat if "." in key]:
        *parents, last = key.split(".")
        level: Json = flat
        for parent in parents:
            level = level.setdefault(parent, {}) if isinstance(level, dict) else None
        if isinstance(level, dict):
            level.setdefault(last, flat[key])
    return flat


def _look_up(scope: Json, scopes: Sequence[Json], key: str | bytes, default: object) -> object:
    """Find a name in the innermost scope that has all of its parts."""
    name = key.decode() if isinstance(key, bytes) else key
    if name == ".":
        return scope
    if not name:
        return default
    if name in LAMBDAS:
        return _block(LAMBDAS[name], scope)
    parts = name.split(".")
    for candidate in (scope, *reversed(scopes)):
        found = _walk(candidate, parts)
        if found is not _ABSENT:
            return found
    return default


def _block(of_text: Callable[[str, Json], str], variables: Json) -> Callable[[str, Callable[[str], str]], str]:
    """A lambda as the library calls it: with the text between its tags, and what renders it."""
    return lambda text, render: of_text(render(text.strip()).strip(), variables)


def _walk(value: object, parts: Sequence[str]) -> object:
    for part in parts:
        value = _property(value, part)
        if value is _ABSENT:
            break
    return value


def _property(value: object, name: str) -> object:
    match value:
        case Mapping():
            return value.get(name, _ABSENT)
        case list() if name == "asJSON":
            return _json(value)
        case list() if name.isdecimal():
            return value[int(name)] if int(name) < len(value) else _ABSENT
        case list() | str() if name == "length":
            return len(value)
        case _:
            return _ABSENT
