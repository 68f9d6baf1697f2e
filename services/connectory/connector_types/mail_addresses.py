"""Addresses of mails: whether they are addresses, and whether they may get mail (RFC 5322, section 3.4)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from email.errors import NonASCIILocalPartDefect
from email.headerregistry import Address, HeaderRegistry
from functools import lru_cache
from typing import Final

from connectory.connector_types.mail_settings import MailSettings

_HEADERS: Final = HeaderRegistry()
_HARMLESS: Final = NonASCIILocalPartDefect
"""Not every mail server takes such an address (RFC 6531); whether it does turns out when it is sent to."""

_STUMBLES: Final = (ValueError, LookupError, AttributeError, TypeError, RecursionError)
"""What the parser of the standard library makes of some texts."""

_TEMPLATE: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def problem_with_addresses(
    settings: MailSettings, *, senders: Iterable[str] = (), recipients: Iterable[str] = (), templates_pass: bool
) -> str | None:
    """What is wrong with them. With `templates_pass` one that holds a template is left for when it is rendered."""
    invalid, forbidden = [], []
    for text, is_sender in (*((each, True) for each in senders), *((each, False) for each in recipients)):
        if not text.strip() or (templates_pass and _TEMPLATE.search(text)):
            continue
        addresses = addresses_of(text)
        if addresses is None:
            invalid.append(text)
        elif not all(_is_allowed(each, settings, is_sender=is_sender) for each in addresses):
            forbidden.append(text)
    return "; ".join(_told("valid", invalid) + _told("allowed", forbidden)) or None


def problem_with_sender(text: str, settings: MailSettings, *, templates_pass: bool) -> str | None:
    """The same for a sender, whom there has to be."""
    if not text.strip():
        return f"not valid emails: {text}"
    return problem_with_addresses(settings, senders=[text], templates_pass=templates_pass)


@lru_cache(maxsize=1024)  # the same texts are asked for by every check and again when the mail is made
def addresses_of(text: str) -> Sequence[Address] | None:
    """The addresses of a list, the members of groups among them; None when it is none."""
    try:
        header = _HEADERS("to", text.strip())
    except _STUMBLES:
        return None
    addresses: Sequence[Address] = getattr(header, "addresses", ())
    sound = bool(addresses) and all(each.username and each.domain for each in addresses)
    return addresses if sound and all(isinstance(each, _HARMLESS) for each in header.defects) else None


def sent_addresses(texts: Iterable[str]) -> Iterator[Address]:
    """As mail servers understand them: domains in ASCII, no groups; what is no address is left out.

    Raises ValueError for a domain that there cannot be.
    """
    for text in texts:
        yield from (Address(each.display_name, each.username, _ascii(each.domain)) for each in addresses_of(text) or ())


def plain_addresses(texts: Iterable[str]) -> Iterator[str]:
    """Those without their names."""
    return (each.addr_spec for each in sent_addresses(texts))


def _ascii(domain: str) -> str:
    return domain if domain.isascii() else domain.encode("idna").decode()


def _is_allowed(address: Address, settings: MailSettings, *, is_sender: bool) -> bool:
    if settings.domains is not None:
        return address.domain.lower() in map(str.lower, settings.domains)
    if settings.recipients is None or is_sender:
        return True
    return any(_matches(address.addr_spec, pattern) for pattern in settings.recipients)


def _matches(address: str, pattern: str) -> bool:
    return bool(re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), address, re.IGNORECASE | re.DOTALL))


def _told(wish: str, texts: Sequence[str]) -> list[str]:
    return [f"not {wish} emails: {', '.join(texts)}"] if texts else []
