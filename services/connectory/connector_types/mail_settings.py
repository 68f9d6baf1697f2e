"""What operators say about e-mail, as the type looks at it."""

from dataclasses import dataclass
from typing import Final

LARGEST_BODY: Final = 25_000_000

SERVICE_SETTINGS: Final = {
    "gmail": "google-mail",
    "outlook365": "microsoft-outlook",
    "ses": "amazon-ses",
    "elastic_cloud": "elastic-cloud",
    "exchange_server": "microsoft-exchange",
    "other": "other",
}
"""Under which name the list of enabled services has a service. Others are not restricted by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """`domains` and `recipients` None: everybody may get mail; an empty tuple of domains: nobody.

    `recipients` are patterns with `*`. `ses` is host and port of Amazon SES where the operator names them. Bodies are
    counted in characters. `public_base_url` is where users reach the gateway.
    """

    enabled_services: tuple[str, ...] = ("*",)
    domains: tuple[str, ...] | None = None
    recipients: tuple[str, ...] | None = None
    ses: tuple[str, int] | None = None
    longest_body: int = LARGEST_BODY
    with_footer: bool = True
    public_base_url: str | None = None
    graph_url: str = "https://graph.microsoft.com/v1.0"
    graph_scope: str = "https://graph.microsoft.com/.default"
    exchange_url: str = "https://login.microsoftonline.com"

    def enables(self, service: str) -> bool:
        name = SERVICE_SETTINGS.get(service)
        return name is None or "*" in self.enabled_services or name in self.enabled_services
