"""How the requests through a connector are run, where it differs from the settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPolicy:
    """None: as the settings say.

    `max_attempts` counts the first one too; `max_in_flight` bounds what is carried out at once; actions start at
    `requests_per_second` on average, and after a pause up to `burst` of them at once.
    """

    max_attempts: int | None = None
    max_in_flight: int | None = None
    requests_per_second: float | None = None
    burst: int | None = None


AS_SETTINGS_SAY = DeliveryPolicy()
