"""Keys that are known and yet not settings: taken without effect, gone, or not offered yet.

They are told apart so that an existing kibana.yml either means here what it means there, or is refused.
"""

from typing import Final

from connectory.infra.settings.declaration import variable_name

WITHOUT_EFFECT: Final = (
    "xpack.actions.usage.enabled",
    "xpack.actions.usage.url",
    "xpack.actions.usage.ca.path",
    "xpack.actions.auth.ears",
    "xpack.actions.relay",
    "xpack.actions.inboundEvents",
)
"""Each stands for itself and for all keys below it."""

INBOUND_EVENTS: Final = "xpack.actions.inboundEvents.enabled"

GONE: Final = {
    "xpack.actions.enabled": "connectors are always on",
    "xpack.actions.whitelistedHosts": "use xpack.actions.allowedHosts",
    "xpack.actions.rejectUnauthorized": "use xpack.actions.ssl.verificationMode",
    "xpack.actions.proxyRejectUnauthorizedCertificates": "use xpack.actions.ssl.proxyVerificationMode",
    "xpack.actions.auditing": "it never existed; use xpack.security.audit.enabled",
}

NEEDS_SOMETHING: Final = {
    "xpack.actions.email": "email.domain_allowlist or email.services must be defined",
    "xpack.actions.email.services": "email.services.enabled or email.services.ses must be defined",
    "xpack.actions.email.services.ses": "email.services.ses.host and email.services.ses.port must be defined",
}
"""Sections that must not be there with nothing in them."""

NOT_YET: Final[tuple[str, ...]] = ()
"""Keys that would change behaviour and are not built: passing over them in silence would mislead."""

PROGRAM_VARIABLES: Final = ("CONNECTORY_KIBANA_CONFIG",)
"""Environment variables of the program that are not settings."""


def find_other_key(name: str) -> str | None:
    """The key of this page that the dotted name is, or is below of."""
    return next((key for key in _ALL if name == key or name.startswith((f"{key}.", f"{key}["))), None)


def find_other_variable(variable: str) -> str | None:
    """The same for an environment variable."""
    return next(
        (key for name, key in _VARIABLES if variable == name or variable.startswith((f"{name}_", f"{name}["))), None
    )


_ALL: Final = (*WITHOUT_EFFECT, *GONE, *NOT_YET)
_VARIABLES: Final = tuple((variable_name(key), key) for key in _ALL)
