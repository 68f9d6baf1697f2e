"""Reading of YAML files that operators write. No text about a bad file quotes it: it may hold secrets."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from connectory.domain.errors import SettingsInvalid

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml_map(path: Path) -> Mapping[object, object]:
    """The map that the file holds; an empty file is an empty map. Raises `SettingsInvalid`."""
    try:
        content: object = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{path} cannot be read: {reading_problem(error)}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise SettingsInvalid(f"{path} is not valid YAML{_place(error)}") from None
    if content is None:
        return {}
    if not isinstance(content, Mapping):
        raise SettingsInvalid(f"{path} must hold a map of keys to values")
    return content


def reading_problem(error: OSError | UnicodeDecodeError) -> str:
    """Why a file cannot be read, in words, without its name or content."""
    if isinstance(error, OSError):
        return os.strerror(error.errno) if error.errno else type(error).__name__
    return "it is not UTF-8"


def _place(error: Exception) -> str:
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    return f": line {mark.line + 1}, column {mark.column + 1}" if mark else ""
