"""How a value is escaped when a template prints it into text of some syntax."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Final, Literal

import mstache

Escape = Literal["none", "json", "html", "markdown", "slack"]

_MARKDOWN = re.compile(r"[\\|`*_{}\[\]()#+\-.!]")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_SLACK_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "'"})


def escape_json(text: str) -> str:
    """The inside of a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def escape_html(text: str) -> str:
    return mstache.default_escape(text.encode()).decode()


def escape_markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\g<0>", text)


def escape_slack(text: str) -> str:
    """Slack has no escape for its emphasis marks, so a text that has some becomes a code span."""
    if ("_" in text or "*" in text) and not _URL.fullmatch(text):
        return "`" + text.replace("`", "'") + "`"
    return text.translate(_SLACK_ENTITIES)


ESCAPES: Final[Mapping[Escape, Callable[[str], str]]] = {
    "none": str,
    "json": escape_json,
    "html": escape_html,
    "markdown": escape_markdown,
    "slack": escape_slack,
}
