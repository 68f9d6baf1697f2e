"""JSON as it comes in and goes out."""

import json
from typing import Final

from connectory.domain.json_types import Json
from connectory.infra.messages.json_text import read_json, write_json

SYNTAX_TEXT: Final = "Invalid request payload JSON format"


class InvalidJson(ValueError):
    """Bytes that are not JSON, or JSON that records cannot carry: nested too deep, numbers too large."""


def parse(payload: bytes) -> Json:
    """Return the value. Raises `InvalidJson`, also for lone surrogates, which have no form in UTF-8."""
    try:
        text = payload.decode()
        value = read_json(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except ValueError as error:
        raise InvalidJson(SYNTAX_TEXT) from error
    return value


def write(value: Json) -> bytes:
    """In UTF-8. What holds lone surrogates, as answers of targets may, goes out in escapes, as it came in."""
    return write_json(value).encode()
