"""What is set, allowed, and yet hardly meant: each is one line of level warning, after which the start goes on."""

from collections.abc import Iterator
from typing import Final

import ada_url

from connectory.infra.settings.custom_hosts import masked
from connectory.infra.settings.email import LARGEST_BODY, EmailSettings
from connectory.infra.settings.model import Settings

_PROXY_PROTOCOLS: Final = ("http:", "https:")


def cautions(settings: Settings) -> Iterator[str]:
    """The warnings about settings that are valid."""
    yield from _about_proxy(settings)
    yield from _about_email(settings.email)


def is_proxy_url(url: str) -> bool:
    """Whether a proxy could be reached by the URL."""
    try:
        parsed = ada_url.URL(url)
    except ValueError:
        return False
    return parsed.protocol in _PROXY_PROTOCOLS and bool(parsed.hostname)


def _about_proxy(settings: Settings) -> Iterator[str]:
    proxy = settings.proxy
    if proxy.url is not None and not is_proxy_url(proxy.url):
        yield f"The configuration xpack.actions.proxyUrl: {masked(proxy.url)} is invalid."
    if proxy.bypass_hosts is not None and proxy.only_hosts is not None:
        yield (
            "The configurations xpack.actions.proxyBypassHosts and xpack.actions.proxyOnlyHosts can not be used at the "
            "same time. The configuration xpack.actions.proxyOnlyHosts will be ignored."
        )


def _about_email(email: EmailSettings) -> Iterator[str]:
    longest = email.maximum_body_length
    if longest > LARGEST_BODY:
        yield (
            f"The configuration xpack.actions.email.maximum_body_length value {longest} is larger than the maximum "
            f"setting of {LARGEST_BODY} and the maximum value will be used instead"
        )
    if longest == 0:
        yield (
            "The configuration xpack.actions.email.maximum_body_length is set to 0 and will result in sending empty "
            "emails"
        )
