"""What a mail says: text and HTML, with a footer, and cut where it is too long."""

from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt

from connectory.connector_types.mail_settings import MailSettings

NO_MESSAGE = "no message set"
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
    """The Markdown itself when it cannot be rendered."""
    try:
        rendered: str = _renderer().render(markdown)
    except (ValueError, RecursionError, IndexError):
        return markdown
    return rendered


@cache
def _renderer() -> MarkdownIt:
    """Links are found in the text; HTML in it is shown, not used."""
    return MarkdownIt("default", {"html": False, "linkify": True})


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
