"""Settings whose keys operators choose: the ways to write them are brought to one map for each setting.

A key of such a map may hold dots of its own (an id, a header), so that not every dot of a dotted name divides it.
"""

import re
from collections.abc import Collection, Iterable, Mapping

from connectory.infra.settings.declaration import KnownSetting

_Tree = dict[str, object]


class GivenTwice(Exception):
    """One place of a map has two values."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def is_within(name: str, maps: Iterable[str]) -> bool:
    """Whether the dotted name is that of a map, or below of one."""
    return any(name == each or name.startswith(f"{each}.") for each in maps)


def gather_maps(values: Mapping[str, object], maps: Collection[KnownSetting]) -> dict[str, object]:
    """The values with everything below a map put into it. Raises `GivenTwice`."""
    gathered = dict(values)
    for declared in maps:
        start = f"{declared.name}."
        below = {name.removeprefix(start): gathered.pop(name) for name in values if name.startswith(start)}
        if below:
            gathered[declared.name] = _with_below(declared, gathered.get(declared.name), below)
    return gathered


def merge_by_key(sources: Iterable[Mapping[str, object]], name: str) -> object:
    """One map of all sources, the highest first: an entry comes whole from the highest one that has its key."""
    found = [source[name] for source in sources if name in source]
    if not all(isinstance(each, Mapping) for each in found):
        return next(each for each in found if not isinstance(each, Mapping))
    merged: _Tree = {}
    for each in reversed(found):
        merged.update(_string_keys(each))
    return merged


def unfold(value: object) -> object:
    """An entry of which `ssl.verificationMode` may be written for `ssl: { verificationMode }`."""
    if not isinstance(value, Mapping):
        return value
    tree: _Tree = {}
    for key, item in value.items():
        try:
            _put(tree, str(key).split("."), item)
        except GivenTwice:
            raise ValueError(f"[{key}] is given twice") from None
    return tree


def _with_below(declared: KnownSetting, value: object, below: Mapping[str, object]) -> object:
    if value is not None and not isinstance(value, Mapping):
        return value
    tree = _string_keys(value)
    for name, item in below.items():
        try:
            _put(tree, _path(name, declared.entry_fields), item)
        except GivenTwice:
            raise GivenTwice(f"{declared.name}.{name}") from None
    return tree


def _path(name: str, fields: Collection[str]) -> list[str]:
    """`my.id.config.url` → `my.id`, `config`, `url`: what stands before the first field of an entry is its key."""
    choice = "|".join(map(re.escape, fields))
    match = re.fullmatch(rf"(.+?)\.((?:{choice})(?:\..+)?)", name) if fields else None
    return [match[1], *match[2].split(".")] if match else [name]


def _put(tree: _Tree, path: list[str], value: object) -> None:
    first, *rest = path
    if not rest:
        if first in tree:
            raise GivenTwice(first)
        tree[first] = value
        return
    inner = tree.get(first, {})
    if not isinstance(inner, Mapping):
        raise GivenTwice(first)
    tree[first] = branch = _string_keys(inner)
    _put(branch, rest, value)


def _string_keys(value: object) -> _Tree:
    return {str(key): item for key, item in value.items()} if isinstance(value, Mapping) else {}
