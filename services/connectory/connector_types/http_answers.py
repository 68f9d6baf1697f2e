"""What targets of `.http` say in the bodies of their refusals, wherever they say it."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from connectory.connector_types.json_text import compact, parsed_or_text
from connectory.domain.json_types import Json

LONGEST: Final = 2048
"""Characters that are kept."""

_FIELDS: Final = ("detail", "title", "error_description")
_LATER_FIELDS: Final = ("message", "reason", "description", "Message")
_FIELDS_OF_AN_ERROR: Final = ("message", "reason", "msg", "detail")
_MOST_ERRORS: Final = 15
_TAG: Final = re.compile(r"<[^<>]*>")


def said(body: bytes) -> str | None:
    """The words of an answer, without HTML; None when there are none."""
    answer = parsed_or_text(body) if body else None
    if answer in (None, ""):
        return None
    words = next(_candidates(answer), None) or (answer if isinstance(answer, str) else compact(answer))
    return _TAG.sub("", words).strip()[:LONGEST] or None


def _candidates(answer: Json) -> Iterator[str]:
    """In the order in which they count; empty ones are left out."""
    if not isinstance(answer, Mapping):
        return
    error = answer.get("error")
    found = [
        *(answer.get(name) for name in _FIELDS),
        error if isinstance(error, str) else None,
        *(answer.get(name) for name in _LATER_FIELDS),
        *(error.get(name) for name in _FIELDS_OF_AN_ERROR if isinstance(error, Mapping)),
    ]
    yield from (each if isinstance(each, str) else compact(each) for each in found if each)
    errors = answer.get("errors")
    if isinstance(errors, list) and errors:
        yield "; ".join(map(_one_of_many, errors[:_MOST_ERRORS]))


def _one_of_many(error: Json) -> str:
    if isinstance(error, str):
        return error
    return next(_candidates(error), None) or compact(error)
