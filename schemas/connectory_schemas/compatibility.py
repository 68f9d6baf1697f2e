"""Whether records written with one schema can be read with another: tried out on samples, in fastavro itself."""

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.read import SchemaResolutionError

_SAMPLES: dict[str, object] = {
    "null": None,
    "boolean": True,
    "int": 1,
    "long": 1,
    "float": 1.0,
    "double": 1.0,
    "bytes": b"x",
    "string": "x",
}


def incompatibilities(older: str, newer: str) -> list[str]:
    """Return why the two schemas (as JSON) cannot read each other's records; nothing when they can."""
    directions = (("the newer cannot read the older", older, newer), ("the older cannot read the newer", newer, older))
    return [f"{what}: {why}" for what, writer, reader in directions if (why := _unreadable(writer, reader))]


def _unreadable(writer: str, reader: str) -> str | None:
    written, wanted = (parse_schema(json.loads(text), named_schemas={}) for text in (writer, reader))
    try:
        for sample in _samples(json.loads(writer)):
            out = BytesIO()
            schemaless_writer(out, written, sample)
            out.seek(0)
            schemaless_reader(out, written, wanted)
    except (SchemaResolutionError, ValueError, LookupError, TypeError, EOFError) as error:
        return f"{type(error).__name__} {error}"
    return None


def _samples(schema: Any) -> Iterator[object]:
    """Records that between them take every branch of every union and every symbol of every enum."""
    for turn in range(_widest(schema)):
        yield _sample(schema, turn, {})


def _sample(schema: Any, turn: int, named: dict[str, Any]) -> object:
    match schema:
        case list():
            return _sample(schema[turn % len(schema)], turn, named)
        case str():
            return _SAMPLES[schema] if schema in _SAMPLES else _sample(named[schema], turn, named)
        case {"type": "record", "name": name, "fields": fields}:
            named[name] = schema
            return {field["name"]: _sample(field["type"], turn, named) for field in fields}
        case {"type": "array", "items": items}:
            return [_sample(items, turn, named)]
        case {"type": "map", "values": values}:
            return {"x": _sample(values, turn, named)}
        case {"type": "enum", "symbols": symbols}:
            return symbols[turn % len(symbols)]
        case {"type": "fixed", "size": size}:
            return bytes(size)
        case _:
            return _sample(schema["type"], turn, named)


def _widest(schema: Any) -> int:
    """The longest list anywhere in the schema: no union and no enum is longer."""
    match schema:
        case dict():
            return max((_widest(value) for value in schema.values()), default=1)
        case list():
            return max([len(schema), *(_widest(item) for item in schema)])
        case _:
            return 1
