"""The settings in words: rows for the reference and for `connectory doctor`, made from the declarations.

`python -m connectory.infra.settings.describe` prints the page `docs/reference/settings.md`.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import SecretStr

from connectory.infra.settings.declaration import KnownSetting, known_settings
from connectory.infra.settings.model import Settings
from connectory.infra.settings.value_types import AtLeast, Form

_TYPE_NAMES: Final[dict[object, str]] = {
    str: "string",
    int: "number",
    float: "number",
    bool: "bool",
    Path: "path",
    SecretStr: "secret string",
}

_INTRODUCTION: Final = """\
# Settings

*Reference. Made from the declarations in `connectory.infra.settings`; do not edit by hand.*

Highest precedence first: command line options, environment variables, `connectory.yml` in the working directory (nested
or dotted keys), a `kibana.yml` named by `--kibana-config` or `CONNECTORY_KIBANA_CONFIG`, the default. A setting comes
whole from one source: a list of a higher source replaces the list of a lower one.

- A list in the environment is JSON, or one variable for each entry: `XPACK_ACTIONS_ALLOWEDHOSTS[0]`.
- With the suffix `_FILE` a variable names a file that holds the value.
- `${NAME}` within a value of a YAML file stands for that environment variable.
- A duration is a number with the unit `ms`, `s`, `m`, `h`, `d`, `w`, `M` (30 days) or `Y` (365 days); without one it is
  milliseconds. A byte size has the unit `b`, `kb`, `mb` or `gb`, base 1024; without one it is bytes.
- Unknown keys under `xpack.actions.` and `connectory.`, and any in `connectory.yml`, stop the start; the text names the
  nearest known key. All problems are shown at once.
"""


@dataclass(frozen=True, slots=True)
class SettingDescription:
    """One setting in words. `default` is as one would write it; `variables` are the names in the environment."""

    name: str
    variables: tuple[str, ...]
    type: str
    default: str
    meaning: str


def describe_settings() -> list[SettingDescription]:
    """All settings in order of declaration."""
    return [_describe(known) for known in known_settings(Settings)]


def settings_page() -> str:
    """The reference page in Markdown."""
    return "\n".join([_INTRODUCTION, *_table(describe_settings()), ""])


def _describe(known: KnownSetting) -> SettingDescription:
    return SettingDescription(
        name=known.name,
        variables=known.variables,
        type=_type_text(known.field.annotation, known.field.metadata),
        default=known.shown_default or _write(known.field.default, known.field.metadata),
        meaning=known.field.description or "",
    )


def _table(rows: Sequence[SettingDescription]) -> Iterator[str]:
    yield "| setting | environment | type | default | meaning |"
    yield "|---|---|---|---|---|"
    for row in rows:
        variables = ", ".join(f"`{variable}`" for variable in row.variables)
        kind = row.type.replace("|", "\\|")
        yield f"| `{row.name}` | {variables} | {kind} | {row.default} | {row.meaning} |"


def _type_text(annotation: Any, metadata: Sequence[object] = ()) -> str:
    form = _form(metadata)
    if form is not None:
        return f"{form.label}{_bounds(metadata, form)}"
    arguments = get_args(annotation)
    match get_origin(annotation):
        case origin if origin is Annotated:
            return _type_text(arguments[0], arguments[1:])
        case origin if origin in (Union, UnionType):
            return next(_type_text(argument) for argument in arguments if argument is not NoneType)
        case origin if origin is tuple:
            return f"list of {_type_text(arguments[0])}"
        case origin if origin is Literal:
            return " | ".join(f"`{argument}`" for argument in arguments)
        case _:
            return f"{_TYPE_NAMES.get(annotation, 'object')}{_bounds(metadata)}"


def _bounds(metadata: Sequence[object], form: Form | None = None) -> str:
    least = next((_value(item.ge, form) for item in metadata if isinstance(item, Ge | AtLeast)), None)
    most = next((_value(item.le, form) for item in metadata if isinstance(item, Le)), None)
    if least is None:
        return ""
    return f" ≥ {least}" if most is None else f" {least} to {most}"


def _form(metadata: Sequence[object]) -> Form | None:
    return next((item for item in metadata if isinstance(item, Form)), None)


def _write(default: object, metadata: Sequence[object]) -> str:
    if default is None:
        return "unset"
    return f"`{_value(default, _form(metadata))}`"


def _value(value: object, form: Form | None) -> str:
    """As an operator writes it."""
    if form is not None:
        return form.write(value)
    return value if isinstance(value, str) and value else json.dumps(value)


if __name__ == "__main__":
    sys.stdout.write(settings_page())
