"""What is different between two JSON values: the places, each with the value before and after."""

import json
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from connectory.domain.json_types import Json, JsonObject

Path: TypeAlias = tuple[str, ...]


def differences(before: JsonObject, after: JsonObject, path: Path = ()) -> Iterator[JsonObject]:
    """In the order of the keys. Objects are looked into, lists are not; what was or is not there has no key."""
    for key in dict.fromkeys((*before, *after)):
        yield from _at((*path, key), key, before, after)


def _at(path: Path, key: str, before: JsonObject, after: JsonObject) -> Iterator[JsonObject]:
    old, new = before.get(key), after.get(key)
    if key in before and key in after:
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from differences(old, new, path)
            return
        if _is_same(old, new):
            return
    values: dict[str, Json] = {"path": list(path)}
    if key in before:
        values["before"] = old
    if key in after:
        values["after"] = new
    yield values


def _is_same(old: Json, new: Json) -> bool:
    """JSON tells `true` from 1 and 1 from 1.0, at any depth; Python does not."""
    return json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True)
