"""How requests through a connector are run: its own policy goes before the settings, and these before its type."""

from collections.abc import Sequence
from typing import Any

import pytest

from connectory.connector_types.contract import TypeSettings
from connectory.connector_types.registry import TypeRegistry
from connectory.domain.connector import Active
from connectory.domain.delivery import DeliveryPolicy
from connectory.domain.rate_limit import RateLimit
from connectory.domain.secrets import NO_SECRETS
from connectory.executor.policies import DEFAULT_ATTEMPTS, LimitRule, RunPolicies, RunPolicy, RunSettings
from connectory.infra.egress.hosts import AllowedHosts
from tests.unit.connectors import AT

REGISTRY = TypeRegistry(settings=TypeSettings(hosts=AllowedHosts(["*"])))
BY_ID = LimitRule(limit=RateLimit(per_second=1.0), connector_id="c1")
BY_HOST = LimitRule(limit=RateLimit(per_second=2.0), host="target")
BY_TYPE = LimitRule(limit=RateLimit(per_second=3.0), type_id=".webhook")


def policy(
    own: DeliveryPolicy | None = None, *, enabled: bool = True, url: str = "http://target/", **settings: Any
) -> RunPolicy:
    active = Active(
        connector_id="c1",
        space_id="default",
        name="hook",
        connector_type_id=".webhook",
        config={"url": url},
        secrets=NO_SECRETS,
        version=1,
        created_at=AT,
        created_by=None,
        updated_at=AT,
        updated_by=None,
        recent_commands=(),
        enabled=enabled,
        delivery_policy=own or DeliveryPolicy(),
    )
    return RunPolicies(RunSettings(**settings), REGISTRY).of(active)


def of_type(type_id: str) -> int | None:
    return {".webhook": 4}.get(type_id)


@pytest.mark.parametrize(
    ("own", "settings", "attempts"),
    [
        (DeliveryPolicy(max_attempts=7), {"max_attempts": 5, "attempts_of": of_type}, 7),
        (None, {"max_attempts": 5, "attempts_of": of_type}, 4),
        (None, {"max_attempts": 5}, 5),
        (None, {}, DEFAULT_ATTEMPTS),
    ],
)
def test_attempts_are_as_the_connector_says_then_the_settings_for_its_type_then_those_for_all(
    own: DeliveryPolicy | None, settings: dict[str, Any], attempts: int
) -> None:
    assert policy(own, **settings).max_attempts == attempts


@pytest.mark.parametrize(
    ("rules", "per_second"),
    [
        ((BY_TYPE, BY_HOST, BY_ID), 1.0),
        ((BY_TYPE, BY_HOST), 2.0),
        ((BY_TYPE,), 3.0),
        ((LimitRule(limit=RateLimit(per_second=9.0), connector_id="c2"),), None),
    ],
)
def test_a_rate_for_the_connector_goes_before_one_for_its_host_and_that_before_one_for_its_type(
    rules: Sequence[LimitRule], per_second: float | None
) -> None:
    limit = policy(limit_rules=rules).rate_limit
    assert (limit and limit.per_second) == per_second


def test_the_connectors_own_rate_goes_before_every_rule() -> None:
    own = DeliveryPolicy(requests_per_second=0.5, burst=2)
    assert policy(own, limit_rules=(BY_ID,)).rate_limit == RateLimit(per_second=0.5, burst=2)


def test_the_connectors_own_burst_goes_with_the_rate_of_a_rule() -> None:
    assert policy(DeliveryPolicy(burst=4), limit_rules=(BY_ID,)).rate_limit == RateLimit(per_second=1.0, burst=4)


def test_a_burst_alone_is_no_limit() -> None:
    assert policy(DeliveryPolicy(burst=4)).rate_limit is None


def test_a_disabled_connector_has_no_rate() -> None:
    assert policy(DeliveryPolicy(requests_per_second=0.5), enabled=False).rate_limit is None


@pytest.mark.parametrize("url", ["http://[", "", "other"])
def test_a_url_that_cannot_be_read_has_no_host(url: str) -> None:
    assert policy(url=url, limit_rules=(BY_HOST,)).rate_limit is None


def test_what_is_in_flight_is_bounded_by_the_connectors_own_number_first() -> None:
    assert policy(DeliveryPolicy(max_in_flight=2), max_in_flight=9).max_in_flight == 2
    assert policy(max_in_flight=9).max_in_flight == 9
