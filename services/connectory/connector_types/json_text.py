"""JSON as text, in the form that JavaScript writes it, and texts that may be JSON."""

import json

from connectory.domain.json_types import Json


def compact(value: object) -> str:
    """Without spaces and with letters as they are: what `JSON.stringify` makes of it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def parsed_or_text(body: bytes) -> Json:
    """The JSON that a body holds, or the body as text when it holds none."""
    try:
        value: Json = json.loads(body)
    except (ValueError, RecursionError):
        return body.decode(errors="replace")
    return value
