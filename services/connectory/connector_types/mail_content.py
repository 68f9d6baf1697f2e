"""What a mail says: text and HTML, with a footer, and cut where it is too long."""

from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, image, link

from connectory.connector_types.mail_settings import MailSettings

NO_MESSAGE = "no message set"
MOST_EFFORT: Final = 10_000_000
"""Characters that may be looked at for the ends of links: with thousands of brackets without ends it takes hours."""

SIGNED = "This message was sent by Elastic."


@dataclass(frozen=True, slots=True, kw_only=True)
class FooterLink:
    path: str = "/"
    text: str = "Go to Elastic"


@dataclass(frozen=True, slots=True)
class Content:
    text: str
    html: str


def content_of(message: str, html: str | None, link: FooterLink, connector_id: str, settings: MailSettings) -> Content:
    """The text is the Markdown of the message; the HTML is what was given, or made of the text."""
    footed = (message or NO_MESSAGE) + (_footer(link, settings) if settings.with_footer else "")
    text = _cut(footed, connector_id, settings.longest_body)
    given = None if html is None else _cut(html, connector_id, settings.longest_body)
    return Content(text, given if given is not None else html_of(text))


def html_of(markdown: str) -> str:
    """The Markdown itself, as a reader sees it, when it cannot be rendered."""
    try:
        rendered: str = _renderer().render(markdown, {"effort": 0})
    except (ValueError, RecursionError, IndexError):
        return escape(markdown, quote=False)
    return rendered


@cache
def _renderer() -> MarkdownIt:
    """Links are found in the text; HTML in it is shown, not used."""
    renderer = MarkdownIt("default", {"html": False, "linkify": True})
    renderer.inline.ruler.at("link", _link)
    renderer.inline.ruler.at("image", _image)
    return renderer


def _link(state: StateInline, silent: bool) -> bool:
    return state.src[state.pos] == "[" and _is_worth_it(state) and link(state, silent)


def _image(state: StateInline, silent: bool) -> bool:
    return state.src.startswith("![", state.pos) and _is_worth_it(state) and image(state, silent)


def _is_worth_it(state: StateInline) -> bool:
    """Raises ValueError when the whole message takes too long."""
    state.env["effort"] += state.posMax - state.pos
    if state.env["effort"] > MOST_EFFORT:
        raise ValueError("too many brackets")
    return True


def _footer(link: FooterLink, settings: MailSettings) -> str:
    base = settings.public_base_url
    pointer = "" if base is None else f" [{link.text}]({base}{'' if link.path == '/' else link.path})."
    return f"\n\n---\n\n{SIGNED}{pointer}"


def _cut(text: str, connector_id: str, limit: int) -> str:
    if len(text) < limit:
        return text
    told = (
        f"Your message's length of {len(text)} exceeded the {limit} bytes limit that is set for the connector "
        f'"{connector_id}" and was trimmed. You can modify the limit by increasing the value specified for the '
        "xpack.actions.email.maximum_body_length setting."
    )
    return f"{told}\n\n{text[:limit]}"
