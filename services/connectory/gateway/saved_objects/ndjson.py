"""Newline-delimited JSON: the form of exported files."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from connectory.domain.json_types import Json
from connectory.gateway import json_bodies
from connectory.gateway.errors import Rejected
from connectory.gateway.saved_objects import texts
from connectory.gateway.saved_objects.objects import ObjectKey, SavedObject, read_object

MEDIA_TYPE: Final = "application/ndjson"
DETAILS_KEY: Final = "exportedCount"
"""Only the line of counts has it, which an export ends with."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def write_lines(values: Iterable[Json]) -> bytes:
    """One value a line, its keys in alphabetical order at every level; no newline after the last."""
    return b"\n".join(json_bodies.write(_in_order(value)) for value in values)


def read_objects(content: bytes, limit: int) -> list[SavedObject]:
    """The objects of a file; its line of counts and empty lines are passed over.

    Raises `Rejected` (400) for what is no file of objects, more than `limit` of them, and one that comes twice.
    """
    objects: list[SavedObject] = []
    for number, line in _json_lines(content):
        if isinstance(line, Mapping) and DETAILS_KEY in line:
            continue
        if len(objects) == limit:
            raise Rejected.bad_request(texts.too_many_imported(limit))
        objects.append(read_object(line, number))
    refuse_repeated([each.key for each in objects], texts.repeated_objects)
    return objects


def refuse_repeated(keys: Sequence[ObjectKey], words: Callable[[str], str]) -> None:
    """Raises `Rejected` (400) when a key comes twice."""
    repeated = [str(key) for key, times in Counter(keys).items() if times > 1]
    if repeated:
        raise Rejected.bad_request(words(",".join(repeated)))


def _json_lines(content: bytes) -> Iterator[tuple[int, Json]]:
    for number, line in enumerate(content.removeprefix(_BYTE_ORDER_MARK).split(b"\n"), 1):
        if line.strip():
            try:
                yield number, json_bodies.parse(line)
            except json_bodies.InvalidJson:
                raise Rejected.bad_request(texts.bad_line(number, "is not JSON")) from None


def _in_order(value: Json) -> Json:
    match value:
        case str():
            return value
        case Mapping():
            return {key: _in_order(value[key]) for key in sorted(value)}
        case Sequence():
            return [_in_order(each) for each in value]
        case _:
            return value
