"""What is set about e-mail: who may get it, through which services, how large and how often."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Final, Literal, Self

from annotated_types import Ge, Le, MinLen
from pydantic import AfterValidator, model_validator

from connectory.infra.settings.declaration import SettingsGroup, required, setting
from connectory.infra.settings.value_types import AtLeast, AtMost, Duration, Entry, ListOf, MapOf, NotNull, Text, Whole
from connectory.infra.settings.violations import violation

LARGEST_BODY: Final = 25_000_000
RATE_LIMITED_TYPES: Final = ("email",)
"""Type ids without the dot."""

EmailService = Literal[
    "google-mail", "microsoft-exchange", "microsoft-outlook", "amazon-ses", "elastic-cloud", "other", "*"
]


class RunRate(SettingsGroup):
    """At most `limit` runs within the latest `lookback_window`."""

    limit: Annotated[Whole, Ge(1)] = required()
    lookback_window: Annotated[Duration, AtLeast(timedelta(seconds=1)), AtMost(timedelta(hours=24))] = required(
        "lookbackWindow"
    )


def _supported(rates: dict[str, RunRate]) -> dict[str, RunRate]:
    for type_id in rates:
        if type_id not in RATE_LIMITED_TYPES:
            raise ValueError(
                f'Rate limiter configuration for connector type "{type_id}" is not supported. '
                f"Supported types: {', '.join(RATE_LIMITED_TYPES)}"
            )
    return rates


class EmailSettings(SettingsGroup):
    domain_allowlist: Annotated[ListOf[str] | None, NotNull("array")] = setting(
        "xpack.actions.email.domain_allowlist",
        None,
        "Domains of recipients and of the sender; an empty list allows nobody",
    )
    recipient_allowlist: Annotated[Annotated[ListOf[str], MinLen(1)] | None, NotNull("array")] = setting(
        "xpack.actions.email.recipient_allowlist",
        None,
        "Patterns, with `*`, of recipients; not together with `email.domain_allowlist`",
    )
    maximum_body_length: Annotated[Whole, Ge(0)] = setting(
        "xpack.actions.email.maximum_body_length",
        LARGEST_BODY,
        "Longest body; 25000000 at most",
    )
    services: Annotated[ListOf[EmailService], MinLen(1)] = setting(
        "xpack.actions.email.services.enabled", ("*",), "Services that may be chosen; `*` for all"
    )
    ses_host: Annotated[Text | None, NotNull("string")] = setting(
        "xpack.actions.email.services.ses.host",
        None,
        "Host of Amazon SES, with its port; else `email-smtp.us-east-1.amazonaws.com`",
    )
    ses_port: Annotated[Annotated[Whole, Ge(1), Le(65535)] | None, NotNull("number")] = setting(
        "xpack.actions.email.services.ses.port", None, "Port of Amazon SES, with its host; else 465"
    )
    footer: bool = setting("xpack.actions.enableFooterInEmail", True, "Whether messages end with a footer")
    microsoft_graph_url: str = setting(
        "xpack.actions.microsoftGraphApiUrl",
        "https://graph.microsoft.com/v1.0",
        "Where e-mail goes through Microsoft Graph",
    )
    microsoft_graph_scope: str = setting(
        "xpack.actions.microsoftGraphApiScope",
        "https://graph.microsoft.com/.default",
        "The OAuth scope of that",
    )
    microsoft_exchange_url: str = setting(
        "xpack.actions.microsoftExchangeUrl",
        "https://login.microsoftonline.com",
        "Where its tokens come from",
    )
    rates: Annotated[MapOf[Entry[RunRate]], AfterValidator(_supported)] = setting(
        "xpack.actions.rateLimiter",
        {},
        "`{limit, lookbackWindow}` by type id without the dot; only `email`. Runs beyond it are delayed. Each executor "
        "counts its own",
    )

    @property
    def effective_body_length(self) -> int:
        return min(self.maximum_body_length, LARGEST_BODY)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = list(self._problems())
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _problems(self) -> Iterator[str]:
        if self.domain_allowlist is not None and self.recipient_allowlist is not None:
            yield violation(
                "xpack.actions.email",
                "email.domain_allowlist and email.recipient_allowlist can not be used at the same time",
            )
        if self.ses_host is not None and self.ses_port is None:
            yield violation(
                "xpack.actions.email.services.ses.port", "expected value of type [number] but got [undefined]"
            )
        if self.ses_port is not None and self.ses_host is None:
            yield violation(
                "xpack.actions.email.services.ses.host", "expected value of type [string] but got [undefined]"
            )
