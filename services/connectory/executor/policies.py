"""How the requests through a connector are run: its own policy, then the settings by connector, host and type."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from connectory.connector_types.registry import TypeRegistry
from connectory.domain.delivery import DeliveryPolicy
from connectory.domain.errors import Refused
from connectory.domain.json_types import JsonObject
from connectory.domain.rate_limit import FASTEST_RATE, SLOWEST_RATE, RateLimit
from connectory.domain.run_window import RunWindow

DEFAULT_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRule:
    """A rate limit for each of the connectors that fit: by id, by the host that they call, or by type."""

    limit: RateLimit
    connector_id: str | None = None
    host: str | None = None
    type_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPolicy:
    """How requests through one connector are run. `rate_limit` None: as fast as they come.

    `window` is shared by all connectors of the type.
    """

    max_attempts: int
    max_in_flight: int
    rate_limit: RateLimit | None = None
    window: RunWindow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """What the settings say. `attempts_of` gives the attempts of a type where the settings name it.

    `windows` are the limits on whole types, by type id, which count the runs of this process.
    """

    max_in_flight: int = 64
    max_attempts: int | None = None
    attempts_of: Callable[[str], int | None] = lambda _type_id: None
    limit_rules: Sequence[LimitRule] = ()
    windows: Mapping[str, RunWindow] = field(default_factory=dict)


class Runnable(Protocol):
    """What a policy depends on: of a saved connector, or of one that is in memory."""

    @property
    def connector_id(self) -> str: ...
    @property
    def connector_type_id(self) -> str: ...
    @property
    def config(self) -> JsonObject: ...
    @property
    def enabled(self) -> bool: ...
    @property
    def delivery_policy(self) -> DeliveryPolicy: ...


class RunPolicies:
    def __init__(self, settings: RunSettings, registry: TypeRegistry) -> None:
        self._settings = settings
        self._registry = registry

    @property
    def unknown(self) -> RunPolicy:
        """For a connector that is not here: its requests end with that."""
        return RunPolicy(max_attempts=self._attempts(None, None), max_in_flight=self._settings.max_in_flight)

    def of(self, active: Runnable) -> RunPolicy:
        """Requests through a disabled connector only end: no rate holds that up."""
        own = active.delivery_policy
        limit = self._limit(active)
        if own.requests_per_second is not None:
            rate = min(max(own.requests_per_second, SLOWEST_RATE), FASTEST_RATE)  # a record may hold anything
            limit = RateLimit(per_second=rate, burst=own.burst or 1)
        elif limit is not None and own.burst is not None:
            limit = RateLimit(per_second=limit.per_second, burst=own.burst)
        return RunPolicy(
            max_attempts=self._attempts(own.max_attempts, active.connector_type_id),
            max_in_flight=own.max_in_flight or self._settings.max_in_flight,
            rate_limit=limit if active.enabled else None,
            window=self._settings.windows.get(active.connector_type_id) if active.enabled else None,
        )

    def _attempts(self, own: int | None, type_id: str | None) -> int:
        settings = self._settings
        by_type = None if type_id is None else settings.attempts_of(type_id)
        return own or by_type or settings.max_attempts or self._attempts_of_type(type_id) or DEFAULT_ATTEMPTS

    def _attempts_of_type(self, type_id: str | None) -> int | None:
        try:
            return self._registry.get(type_id).max_attempts if type_id is not None else None
        except Refused:
            return None

    def _limit(self, active: Runnable) -> RateLimit | None:
        """The first rule that names the connector; failing that its host; failing that its type."""
        host = host_of(active)
        rules = self._settings.limit_rules
        fitting = (
            *(rule for rule in rules if rule.connector_id == active.connector_id),
            *(rule for rule in rules if rule.host is not None and rule.host == host),
            *(rule for rule in rules if rule.type_id == active.connector_type_id),
        )
        return fitting[0].limit if fitting else None


def host_of(active: Runnable) -> str | None:
    """The host that the connector calls, by the fields in which the types keep their URL."""
    url = active.config.get("url") or active.config.get("apiUrl")
    try:
        return urlsplit(url).hostname if isinstance(url, str) else None
    except ValueError:
        return None
