"""Settings about e-mail, and the texts about values that do not go together."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from connectory.domain.errors import SettingsInvalid
from connectory.infra.settings import EmailSettings, RunRate, load_settings

BOTH_LISTS = "[email]: email.domain_allowlist and email.recipient_allowlist can not be used at the same time"
NOTHING = "[email]: email.domain_allowlist or email.services must be defined"
NO_SERVICES = "[email.services]: email.services.enabled or email.services.ses must be defined"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, so that no `connectory.yml` is found by chance."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def loaded(values: Mapping[str, object]) -> EmailSettings:
    return load_settings({f"xpack.actions.{name}": value for name, value in values.items()}, environ={}).email


def refusal(values: Mapping[str, object]) -> list[str]:
    with pytest.raises(SettingsInvalid) as refused:
        loaded(values)
    lines = refused.value.message.splitlines()
    return [line.removeprefix("config validation of [xpack.actions]: ") for line in lines]


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"email": {}}, NOTHING),
        ({"email": None}, NOTHING),
        ({"email.services": {}}, NO_SERVICES),
        ({"email.domain_allowlist": ["a.example"], "email.recipient_allowlist": ["*@a.example"]}, BOTH_LISTS),
        (
            {"email.recipient_allowlist": []},
            "[email.recipient_allowlist]: array size is [0], but cannot be smaller than [1]",
        ),
        (
            {"email.recipient_allowlist": None},
            "[email.recipient_allowlist]: expected value of type [array] but got [null]",
        ),
        (
            {"email.domain_allowlist": None},
            "[email.domain_allowlist]: expected value of type [array] but got [null]",
        ),
        (
            {"email.maximum_body_length": -1},
            "[email.maximum_body_length]: Value must be equal to or greater than [0].",
        ),
        (
            {"email.services.enabled": []},
            "[email.services.enabled]: array size is [0], but cannot be smaller than [1]",
        ),
        (
            {"email.services.ses.host": "ses.example"},
            "[email.services.ses.port]: expected value of type [number] but got [undefined]",
        ),
        (
            {"email.services.ses.port": 465},
            "[email.services.ses.host]: expected value of type [string] but got [undefined]",
        ),
        (
            {"email.services.ses.host": "", "email.services.ses.port": 465},
            "[email.services.ses.host]: value has length [0] but it must have a minimum length of [1].",
        ),
        (
            {"email.services.ses.host": "ses.example", "email.services.ses.port": 65536},
            "[email.services.ses.port]: Value must be equal to or lower than [65535].",
        ),
        (
            {"rateLimiter": {"webhook": {"limit": 1, "lookbackWindow": "1m"}}},
            (
                '[rateLimiter]: Rate limiter configuration for connector type "webhook" is not supported. '
                "Supported types: email"
            ),
        ),
        (
            {"rateLimiter.email.limit": 1, "rateLimiter.email.lookbackWindow": "999ms"},
            "[rateLimiter.email.lookbackWindow]: Value must be equal to or greater than [1s].",
        ),
        (
            {"rateLimiter.email.limit": 0, "rateLimiter.email.lookbackWindow": "1m"},
            "[rateLimiter.email.limit]: Value must be equal to or greater than [1].",
        ),
        (
            {"rateLimiter.email.limit": 1, "rateLimiter.email.lookbackWindow": "25h"},
            "[rateLimiter.email.lookbackWindow]: Value must be equal to or lower than [1d].",
        ),
        (
            {"rateLimiter.email.lookbackWindow": "1m"},
            "[rateLimiter.email.limit]: expected value of type [number] but got [undefined]",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_refused(values: Mapping[str, object], line: str) -> None:
    assert refusal(values) == [line]


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (
            25_000_001,
            (
                "The configuration xpack.actions.email.maximum_body_length value 25000001 is larger than the maximum "
                "setting of 25000000 and the maximum value will be used instead"
            ),
        ),
        (
            0,
            (
                "The configuration xpack.actions.email.maximum_body_length is set to 0 and will result in "
                "sending empty emails"
            ),
        ),
    ],
)
def test_an_odd_length_of_bodies_is_warned_of(length: int, text: str, caplog: pytest.LogCaptureFixture) -> None:
    assert loaded({"email.maximum_body_length": length}).effective_body_length == min(length, 25_000_000)
    assert caplog.messages == [text]


def test_without_a_word_about_e_mail_everything_is_allowed() -> None:
    email = loaded({})
    assert (email.domain_allowlist, email.recipient_allowlist, email.services) == (None, None, ("*",))
    assert (email.maximum_body_length, email.footer, email.rates) == (25_000_000, True, {})


def test_an_empty_list_of_domains_is_legal() -> None:
    assert loaded({"email.domain_allowlist": []}).domain_allowlist == ()


def test_a_rate_is_read_from_a_section() -> None:
    email = loaded({"rateLimiter": {"email": {"limit": 5, "lookbackWindow": "1h"}}})
    assert email.rates == {"email": RunRate(limit=5, lookback_window=timedelta(hours=1))}
