"""A dead letter as JSON, with the record that was given up: the request where it can be read, else its bytes."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final

from connectory.domain.errors import Undecodable
from connectory.domain.execution import ActionRequest, iso_millis
from connectory.domain.json_types import Json, JsonObject
from connectory.infra.messages import Messages
from connectory_projections.dead_letters import KeptLetter

PREVIEW_BYTES: Final = 1024
"""Of a record that cannot be read: enough to see what somebody has sent."""


def shown_letter(kept: KeptLetter, messages: Messages) -> JsonObject:
    """The item of lists, and `request`, or `value` where there is none."""
    letter = kept.letter
    request = _request(letter.value, messages)
    return {
        **kept.item,
        "key": None if letter.key is None else letter.key.decode(errors="replace"),
        "headers": _headers(letter.headers),
        "request": request,
        "value": None if request is not None or letter.value is None else _preview(letter.value),
    }


def _request(value: bytes | None, messages: Messages) -> JsonObject | None:
    try:
        request = messages.decode(value, ActionRequest)
    except Undecodable:
        return None
    return {name: _json(field) for name, field in asdict(request).items()}


def _json(value: Json | datetime) -> Json:
    return iso_millis(value) if isinstance(value, datetime) else value


def _headers(headers: Sequence[tuple[str, bytes]]) -> Sequence[Json]:
    return [{"name": name, "value": value.decode(errors="replace")} for name, value in headers]


def _preview(value: bytes) -> JsonObject:
    start = value[:PREVIEW_BYTES]
    return {"text": start.decode(errors="replace"), "hex": start.hex(), "truncated": len(value) > PREVIEW_BYTES}
