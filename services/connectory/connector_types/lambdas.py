"""The lambdas of templates: blocks whose text, rendered first, is turned into another one.

Each has the name that clients know. What goes wrong becomes the text of the block.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

import arrow
import hjson  # type: ignore[import-untyped]  # it has no types, nor are there stubs for it

from connectory.connector_types.math_expressions import evaluated
from connectory.connector_types.moments import parse_moment
from connectory.connector_types.number_formats import format_number
from connectory.domain.json_types import Json

DEFAULT_TIME_ZONE: Final = "UTC"
DEFAULT_DATE_FORMAT: Final = "YYYY-MM-DD hh:mma"

_URI_COMPONENT: Final = "-_.!~*'()"
_URI: Final = _URI_COMPONENT + ";/?:@&=+$,#"
_ZONE_TOKENS: Final = re.compile(r"\[[^\]]*\]|ZZ?|zz?")


def _format_date(text: str) -> str:
    date, zone, wanted = ([part.strip() for part in text.split(";", 2)] + ["", ""])[:3]
    if not date:
        return "date is empty"
    moment = parse_moment(date)
    if moment is None:
        return f'invalid date "{date}"'
    try:
        local = moment.astimezone(ZoneInfo(zone or DEFAULT_TIME_ZONE))
    except (KeyError, ValueError, OSError, OverflowError):  # a zone that does not exist, or is a path
        return f'unknown timeZone value "{zone}"'
    tokens = _ZONE_TOKENS.sub(lambda found: _zone_token(found[0], local.tzname() or ""), wanted or DEFAULT_DATE_FORMAT)
    return arrow.get(local).format(tokens)


def _zone_token(token: str, zone: str) -> str:
    """The library has the two forms of an offset the other way round, and no token for a zone's short name."""
    return {"Z": "ZZ", "ZZ": "Z", "z": f"[{zone}]", "zz": f"[{zone}]"}.get(token, token)


def _parse_hjson(text: str) -> str:
    try:
        return json.dumps(hjson.loads(text), separators=(",", ":"), ensure_ascii=False)
    except (ValueError, RecursionError) as error:
        return f'error parsing Hjson "{text}": {error}'


def _eval_math(text: str, variables: Json) -> str:
    try:
        return evaluated(text, variables)
    except Exception as error:  # whatever an expression may do wrong, its block says so
        return f'error evaluating tinymath expression "{text}": {error}'


LAMBDAS: Final[Mapping[str, Callable[[str, Json], str]]] = {
    "EvalMath": _eval_math,
    "ParseHjson": lambda text, _variables: _parse_hjson(text),
    "FormatDate": lambda text, _variables: _format_date(text),
    "FormatNumber": lambda text, _variables: format_number(text),
    "EncodeURI": lambda text, _variables: quote(text, safe=_URI),
    "EncodeURIComponent": lambda text, _variables: quote(text, safe=_URI_COMPONENT),
}
"""Each is given the text of its block, without the space around it, and the variables."""
