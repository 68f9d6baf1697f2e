"""JSON as text, in the form that JavaScript writes it, and texts that may be JSON."""

import json
from math import isfinite
from typing import Final

from connectory.domain.json_types import Json


def compact(value: object) -> str:
    """Without spaces and with letters as they are: what `JSON.stringify` makes of it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def parsed_or_text(body: bytes) -> Json:
    """The JSON that a body holds, or the body as text when it holds none."""
    try:
        return parse_json(body)
    except ValueError:
        return body.decode(errors="replace")


def parse_json(text: str | bytes) -> Json:
    """Raises ValueError for what is no JSON: `NaN` and numbers out of range, too, which nobody could write again."""
    try:
        value: Json = _DECODER.decode(text if isinstance(text, str) else text.decode("utf-8-sig"))
    except RecursionError:
        raise ValueError("nested too deep") from None
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"the number {text[:40]} is too large")
    return number


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


_DECODER: Final = json.JSONDecoder(parse_float=_finite, parse_constant=_no_constant)
