"""How the roles run: windows, retries, breakers, rates, waits, and how long outcomes are kept."""

from datetime import timedelta
from typing import Annotated, Self

from annotated_types import Ge, Gt, Le
from pydantic import Field, model_validator

from connectory.domain.rate_limit import FASTEST_RATE, SLOWEST_RATE
from connectory.infra.settings.declaration import SettingsGroup, setting
from connectory.infra.settings.value_types import AtLeast, ByteSize, Duration, Positive, Whole


class ExecutorSettings(SettingsGroup):
    window_requests: Positive = setting(
        "connectory.executor.windowRequests", 1000, "Requests of a partition read ahead"
    )
    window_bytes: ByteSize = setting("connectory.executor.windowBytes", 16 * 1024**2, "Bytes of a partition read ahead")
    in_flight: Positive = setting("connectory.executor.inFlight", 256, "Actions carried out at once by an executor")
    in_flight_per_connector: Positive = setting(
        "connectory.executor.inFlightPerConnector", 64, "Actions carried out at once through one connector"
    )
    dedupe_window: Duration = setting(
        "connectory.executor.dedupeWindow", timedelta(hours=1), "How long a request id that comes again is recognised"
    )
    run_timeout: Annotated[Duration, AtLeast(timedelta(milliseconds=1))] = setting(
        "connectory.run.timeout", timedelta(minutes=5), "After which a run is cancelled"
    )
    grace: Duration = setting(
        "connectory.executor.grace", timedelta(seconds=10), "Time for what is in flight when an executor stops"
    )


class RetrySettings(SettingsGroup):
    first_delay: Annotated[Duration, AtLeast(timedelta(milliseconds=1))] = setting(
        "connectory.retry.firstDelay",
        timedelta(seconds=10),
        "Longest wait before the second attempt; it doubles with each one, and any part of it is waited at random",
    )
    longest_delay: Annotated[Duration, AtLeast(timedelta(milliseconds=1))] = setting(
        "connectory.retry.longestDelay", timedelta(hours=1), "Where the doubling ends"
    )
    longest_retry_after: Duration = setting(
        "connectory.retry.longestRetryAfter", timedelta(hours=1), "Up to which a target's `Retry-After` is honoured"
    )
    max_age: Annotated[Duration, AtLeast(timedelta(seconds=1))] = setting(
        "connectory.retry.maxAge",
        timedelta(days=1),
        "Age from which a request is not tried again, nor put off any more: it is given up",
    )


class BreakerSettings(SettingsGroup):
    failure_share: Annotated[float, Gt(0), Le(1)] = setting(
        "connectory.breaker.failureShare", 0.5, "Share of failures from which on a connector is left alone for a while"
    )
    window: Positive = setting("connectory.breaker.window", 20, "Latest results of a connector that are looked at")
    minimum: Positive = setting("connectory.breaker.minimum", 5, "Failures that it takes at least")
    first_open: Annotated[Duration, AtLeast(timedelta(milliseconds=1))] = setting(
        "connectory.breaker.firstOpen", timedelta(seconds=10), "How long it is left alone first; then twice as long"
    )
    longest_open: Annotated[Duration, AtLeast(timedelta(milliseconds=1))] = setting(
        "connectory.breaker.longestOpen", timedelta(minutes=5), "Where the doubling ends"
    )


class RateLimitRule(SettingsGroup):
    """A limit for each connector that fits: exactly one of `connector`, `host` and `connectorType` says which."""

    connector: str | None = None
    host: str | None = None
    connector_type: str | None = Field(None, validation_alias="connectorType")
    requests_per_second: Annotated[float, Ge(SLOWEST_RATE), Le(FASTEST_RATE)] = Field(
        validation_alias="requestsPerSecond"
    )
    burst: Annotated[Whole, Ge(1)] = 1

    @model_validator(mode="after")
    def _one_scope(self) -> Self:
        if [self.connector, self.host, self.connector_type].count(None) != 2:
            raise ValueError("a rate limit is for one of `connector`, `host` and `connectorType`")
        return self


class GatewaySettings(SettingsGroup):
    reply_timeout: Duration = setting(
        "connectory.gateway.replyTimeout", timedelta(seconds=10), "Longest wait for the decision on a change, then 503"
    )
    projection_wait: Duration = setting(
        "connectory.gateway.projectionWait", timedelta(seconds=2), "Longest wait for the read model to show a change"
    )


class EventLogSettings(SettingsGroup):
    retention: Annotated[Duration, AtLeast(timedelta(days=1))] = setting(
        "connectory.eventLog.retention", timedelta(days=90), "How long outcomes are kept, in Kafka and in Postgres"
    )
