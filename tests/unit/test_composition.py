"""What the composition root makes of settings."""

import pytest

from connectory.composition import egress_settings, log_grace
from connectory.infra.settings import Settings, load_settings


def test_the_log_leaves_an_executor_time_to_commit_after_its_own_grace() -> None:
    settings = Settings()
    assert log_grace(settings) > settings.executor.grace.total_seconds()


def test_the_way_out_knows_the_proxy_of_the_settings() -> None:
    settings = {
        "xpack.actions.proxyUrl": "https://u:p@proxy.test",
        "xpack.actions.proxyHeaders": {"X-Via": "us"},
        "xpack.actions.proxyBypassHosts": ["a.test"],
        "xpack.actions.ssl.proxyVerificationMode": "none",
        "connectory.egress.httpTargetsViaProxy": "forward",
    }

    proxy = egress_settings(load_settings(settings, environ={})).proxy

    assert proxy is not None
    assert (proxy.host, proxy.port, proxy.is_tls, proxy.verification_mode) == ("proxy.test", 443, True, "none")
    assert proxy.headers == {"X-Via": "us", "Proxy-Authorization": "Basic dTpw"}
    assert (proxy.forwards_http, proxy.serves("a.test"), proxy.serves("b.test")) == (True, False, True)


def test_the_way_out_knows_the_hosts_of_the_settings_and_warns_of_what_is_wrong(
    caplog: pytest.LogCaptureFixture,
) -> None:
    entries = [
        {"url": "https://a.test", "ssl": {"verificationMode": "none"}},
        {"url": "smtp://Mail.test:587", "smtp": {"requireTLS": True}},
        {"url": "http://b.test"},
    ]

    custom = egress_settings(load_settings({"xpack.actions.customHostSettings": entries}, environ={})).custom_hosts

    assert {url: (each.verification_mode, each.require_tls) for url, each in custom.items()} == {
        "https://a.test:443": ("none", None),
        "smtp://mail.test:587": (None, True),
    }
    assert caplog.messages == [
        'In configuration xpack.actions.customHosts, unsupported protocol used in URL "http://b.test", ignoring'
    ]
