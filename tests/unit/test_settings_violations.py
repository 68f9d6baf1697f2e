"""What is refused, and in which words."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from connectory.domain.errors import SettingsInvalid
from connectory.infra.settings import load_settings

SENTINEL = "sentinel-plain-text"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, so that no `connectory.yml` is found by chance."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(overrides: Mapping[str, object], environ: dict[str, str] | None = None) -> str:
    with pytest.raises(SettingsInvalid) as refused:
        load_settings(overrides, environ=environ or {})
    return refused.value.message


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        (
            "xpack.actions.allowedHosts",
            ["ok", "https://a/b"],
            "allowedHosts.1]: value must be a valid hostname (see RFC 1123).",
        ),
        ("xpack.actions.allowedHosts", "a.example", "allowedHosts]: expected value of type [array] but got [string]"),
        (
            "xpack.actions.enabledActionTypes",
            [1],
            "enabledActionTypes.0]: expected value of type [string] but got [number]",
        ),
        ("xpack.actions.run.maxAttempts", 11, "run.maxAttempts]: Value must be equal to or lower than [10]."),
        ("xpack.actions.run.maxAttempts", 0, "run.maxAttempts]: Value must be equal to or greater than [1]."),
        ("xpack.actions.run.maxAttempts", True, "run.maxAttempts]: expected value of type [number] but got [boolean]"),
        ("xpack.actions.queued.max", 0, "queued.max]: Value must be equal to or greater than [1]."),
        (
            "xpack.actions.webhook.ssl.pfx.enabled",
            [],
            "webhook.ssl.pfx.enabled]: expected value of type [boolean] but got [array]",
        ),
        (
            "xpack.actions.ssl.verificationMode",
            "some",
            "ssl.verificationMode]: expected value to equal one of 'none', 'certificate' or 'full' but got [some]",
        ),
        (
            "xpack.actions.responseTimeout",
            "1 hour",
            "responseTimeout]: value must be a duration such as 500ms, 60s, 5m or 90d, but got [1 hour]",
        ),
        (
            "xpack.actions.maxResponseContentLength",
            "1tb",
            "maxResponseContentLength]: value must be a byte size such as 512kb, 1mb or 1048576, but got [1tb]",
        ),
        (
            "xpack.actions.run.connectorTypeOverrides",
            [{"id": ".webhook", "attempts": 1}],
            "run.connectorTypeOverrides.0.attempts]: definition for this key is missing",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_path(name: str, value: object, line: str) -> None:
    assert refusal({name: value}) == f"config validation of [xpack.actions]: [{line}"


def test_retention_below_a_day_is_refused() -> None:
    message = refusal({"connectory.eventLog.retention": "23h"})
    assert (
        message
        == "config validation of [connectory]: [eventLog.retention]: Value must be equal to or greater than [1d]."
    )


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("xpack.actions.allowedHost", "xpack.actions.allowedHosts"),
        ("connectory.egress.blockPrivateAdresses", "connectory.egress.blockPrivateAddresses"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(name: str, nearest: str) -> None:
    assert refusal({name: 1}) == f'[{name}]: definition for this key is missing. Did you mean "{nearest}"?'


def test_an_unknown_variable_is_refused_with_the_nearest_known_one() -> None:
    message = refusal({}, {"CONNECTORY_HTTP_PROT": "1"})
    assert message == (
        '[CONNECTORY_HTTP_PROT]: definition for this key is missing. Did you mean "CONNECTORY_HTTP_PORT"?'
    )


@pytest.mark.parametrize(
    ("name", "successor"),
    [
        ("whitelistedHosts", "xpack.actions.allowedHosts"),
        ("rejectUnauthorized", "xpack.actions.ssl.verificationMode"),
        ("proxyRejectUnauthorizedCertificates", "xpack.actions.ssl.proxyVerificationMode"),
        ("auditing", "xpack.security.audit.enabled"),
        ("enabled", "connectors are always on"),
    ],
)
def test_a_key_that_is_gone_is_refused_with_its_successor(name: str, successor: str) -> None:
    message = refusal({f"xpack.actions.{name}": True})
    assert message.startswith(f"config validation of [xpack.actions]: [{name}]: this setting is gone: ")
    assert successor in message


def test_all_problems_come_at_once_one_a_line() -> None:
    overrides = {"xpack.actions.queued.max": 0, "connectory.http.port": 70000, "connectory.htp.port": 1}
    assert len(refusal(overrides, {"CONNECTORY_STRICT_IDS": "perhaps"}).splitlines()) == 4


@pytest.mark.parametrize(
    "overrides",
    [
        {"xpack.encryptedSavedObjects.encryptionKey": SENTINEL},
        {"xpack.encryptedSavedObjects.keyRotation.decryptionOnlyKeys": [SENTINEL]},
        {"xpack.encryptedSavedObjects.keyRotation.decryptionOnlyKeys": SENTINEL},
        {"connectory.database.url": f"mysql://u:{SENTINEL}@h/db"},
        {"connectory.kafka.sasl.password": [SENTINEL]},
        {"connectory.admin.password": [SENTINEL]},
    ],
)
def test_no_refusal_shows_a_secret(overrides: dict[str, object]) -> None:
    assert SENTINEL not in refusal(overrides)


def test_no_repr_shows_a_secret() -> None:
    settings = load_settings(
        {
            "xpack.encryptedSavedObjects.encryptionKey": SENTINEL * 2,
            "connectory.database.url": f"postgresql://u:{SENTINEL}@h/db",
            "connectory.kafka.sasl.password": SENTINEL,
        },
        environ={},
    )
    assert SENTINEL not in f"{settings!r}{settings}"


def test_a_broken_file_is_refused_without_quoting_it(folder: Path) -> None:
    file = folder / "connectory.yml"
    file.write_text(f"connectory:\n  admin.password: '{SENTINEL}\n")
    assert refusal({}) == "connectory.yml is not valid YAML: line 3, column 1"


def test_the_primary_key_cannot_be_a_decryption_only_key() -> None:
    key = "k" * 32
    message = refusal(
        {
            "xpack.encryptedSavedObjects.encryptionKey": key,
            "xpack.encryptedSavedObjects.keyRotation.decryptionOnlyKeys": [key],
        }
    )
    assert message == (
        "`keyRotation.decryptionOnlyKeys` cannot contain primary encryption key specified in `encryptionKey`."
    )


def test_security_is_switched_off_on_loopback_addresses_only() -> None:
    off = {"connectory.security.enabled": "false"}
    assert load_settings(off, environ={}).security.enabled is False
    assert "[0.0.0.0]" in refusal({**off, "connectory.http.host": "0.0.0.0"})


def test_a_sasl_protocol_needs_user_and_password() -> None:
    assert "needs sasl.username and sasl.password" in refusal({"connectory.kafka.securityProtocol": "SASL_SSL"})


def test_a_certificate_needs_its_key() -> None:
    message = refusal({"connectory.http.ssl.certificateFile": "cert.pem"})
    assert message.endswith("ssl.certificateFile and ssl.keyFile are needed together")


@pytest.mark.parametrize("host", ["*", "a", "a.example", "10.0.0.1", "::1", "bücher.example", "xn--bcher-kva.example"])
def test_hostnames_of_every_kind_are_accepted(host: str) -> None:
    assert load_settings({"xpack.actions.allowedHosts": [host]}, environ={}).actions.allowed_hosts == (host,)


@pytest.mark.parametrize(
    "host", ["", "a b", "a_b", "-a", "a:80", "[::1]", "fe80::1%eth0", "*.example", "a..b", "a" * 64]
)
def test_what_is_no_hostname_is_refused(host: str) -> None:
    assert "value must be a valid hostname" in refusal({"xpack.actions.allowedHosts": [host]})
