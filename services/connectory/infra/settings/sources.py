"""Where values of settings come from, each source brought to the form dotted name → raw value.

Problems are collected, not raised, so that an operator sees all of them at once.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from connectory.domain.errors import SettingsInvalid
from connectory.infra.settings.declaration import KnownSetting
from connectory.infra.settings.maps import GivenTwice, gather_maps, is_within
from connectory.infra.yaml_file import read_yaml_map, reading_problem

Values = dict[str, object]

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_INDEXED: Final = re.compile(r"(.+)\[([0-9]+)\]")


def read_yaml(path: Path, maps: Collection[KnownSetting] = ()) -> Values:
    """The file's values by dotted name; nested and dotted keys mean the same. The value of a map is kept whole.

    Raises `SettingsInvalid` when the file cannot be read, is no YAML, or names a key in both ways.
    """
    try:
        return gather_maps(_flat(read_yaml_map(path), frozenset(each.name for each in maps)), maps)
    except GivenTwice as error:
        raise SettingsInvalid(f"{path}: [{error.name}] is given twice") from None


def substitute(name: str, value: object, environ: Mapping[str, str], problems: list[str]) -> object:
    """Replace `${NAME}` in every scalar of the value."""
    match value:
        case str():
            return _VARIABLE.sub(lambda found: _lookup(name, found[1], environ, problems), value)
        case list():
            return [substitute(name, item, environ, problems) for item in value]
        case Mapping():
            return {key: substitute(name, item, environ, problems) for key, item in value.items()}
        case _:
            return value


def read_environment(known: Iterable[KnownSetting], environ: Mapping[str, str], problems: list[str]) -> Values:
    """The values of known settings that are set by a variable, by one with `_FILE`, or by indexed ones."""
    indexed = _indexed_variables(environ)
    values: Values = {}
    for declared in known:
        for variable in reversed(declared.variables):
            values.update(_from_variable(declared.name, variable, environ, indexed, problems))
    return values


def variable_forms(variable: str) -> tuple[str, str]:
    """The names under which a variable may be set, besides indexed ones."""
    return variable, f"{variable}_FILE"


def without_index(variable: str) -> str:
    match = _INDEXED.fullmatch(variable)
    return match[1] if match else variable


def _from_variable(
    name: str,
    variable: str,
    environ: Mapping[str, str],
    indexed: Mapping[str, dict[int, str]],
    problems: list[str],
) -> Values:
    forms = [form for form in variable_forms(variable) if form in environ]
    entries = indexed.get(variable, {})
    if len(forms) + bool(entries) > 1:
        problems.append(f"[{name}]: {variable} is set in more than one form; keep one of the variable, _FILE and [0]")
        return {}
    if entries:
        return {name: [entries[index] for index in sorted(entries)]}
    if not forms:
        return {}
    if forms[0] == variable:
        return {name: environ[variable]}
    return _from_file(name, forms[0], environ[forms[0]], problems)


def _from_file(name: str, variable: str, path: str, problems: list[str]) -> Values:
    try:
        return {name: Path(path).read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")}
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"[{name}]: {path}, named by {variable}, cannot be read: {reading_problem(error)}")
        return {}


def _indexed_variables(environ: Mapping[str, str]) -> dict[str, dict[int, str]]:
    indexed: dict[str, dict[int, str]] = {}
    for variable, value in environ.items():
        if match := _INDEXED.fullmatch(variable):
            indexed.setdefault(match[1], {})[int(match[2])] = value
    return indexed


def _lookup(name: str, variable: str, environ: Mapping[str, str], problems: list[str]) -> str:
    if variable not in environ:
        problems.append(f"[{name}]: environment variable {variable} is not set")
    return environ.get(variable, "")


def _flat(content: Mapping[object, object], maps: Collection[str]) -> Values:
    values: Values = {}
    for name, value in _leaves(content, "", maps):
        if name in values:
            raise GivenTwice(name)
        values[name] = value
    return values


def _leaves(content: Mapping[object, object], prefix: str, maps: Collection[str]) -> Iterator[tuple[str, object]]:
    for key, value in content.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value and not is_within(name, maps):
            yield from _leaves(value, f"{name}.", maps)
        else:
            yield name, value
