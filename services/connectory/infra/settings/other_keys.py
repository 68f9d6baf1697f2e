"""Keys that are known and yet not settings: taken without effect, or gone; and sections that need something in them.

They are told apart so that an existing kibana.yml either means here what it means there, or is refused.
"""

from typing import Final

from connectory.infra.settings.declaration import variable_name

INBOUND_EVENTS: Final = "xpack.actions.inboundEvents.enabled"

WITHOUT_EFFECT: Final = (
    "xpack.actions.usage.enabled",
    "xpack.actions.usage.url",
    "xpack.actions.usage.ca.path",
    "xpack.actions.auth.ears.url",
    "xpack.actions.auth.ears.enabled",
    "xpack.actions.auth.ears.enableExperimental",
    "xpack.actions.auth.ears.ssl.verificationMode",
    "xpack.actions.auth.ears.ssl.certificate",
    "xpack.actions.auth.ears.ssl.key",
    "xpack.actions.relay.url",
    "xpack.actions.relay.ssl.verificationMode",
    "xpack.actions.relay.ssl.certificateAuthorities",
    "xpack.actions.relay.ssl.certificate",
    "xpack.actions.relay.ssl.key",
    "xpack.actions.relay.uiam.enabled",
    INBOUND_EVENTS,
    "xpack.actions.inboundEvents",
)
"""Each stands for itself and for all keys below it."""

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


_ALL: Final = (*WITHOUT_EFFECT, *GONE)
_VARIABLES: Final = tuple((variable_name(key), key) for key in _ALL)
