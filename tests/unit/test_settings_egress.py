"""Settings of the way out: the proxy, and hosts that need something of their own."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from connectory.domain.errors import SettingsInvalid
from connectory.infra.settings import CustomHost, custom_hosts, load_settings

PREFIX = "In configuration xpack.actions.customHosts, "


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, so that no `connectory.yml` is found by chance."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def resolved(*entries: Mapping[str, object]) -> tuple[tuple[CustomHost, ...], list[str]]:
    settings = load_settings({"xpack.actions.customHostSettings": list(entries)}, environ={})
    warnings: list[str] = []
    return custom_hosts(settings.egress.custom_host_settings, warnings.append), warnings


def refusal(overrides: Mapping[str, object]) -> str:
    with pytest.raises(SettingsInvalid) as refused:
        load_settings(overrides, environ={})
    return refused.value.message


@pytest.mark.parametrize("url", ["not a url", "http://user@", "socks5://proxy.example:1080"])
def test_a_proxy_url_that_cannot_be_used_is_named_and_stops_nothing(url: str, caplog: pytest.LogCaptureFixture) -> None:
    load_settings({"xpack.actions.proxyUrl": url}, environ={})
    assert caplog.messages == [f"The configuration xpack.actions.proxyUrl: {url.replace('user@', '***@')} is invalid."]


def test_both_lists_of_proxy_hosts_are_one_too_many(caplog: pytest.LogCaptureFixture) -> None:
    load_settings(
        {"xpack.actions.proxyBypassHosts": ["a.example"], "xpack.actions.proxyOnlyHosts": ["b.example"]}, environ={}
    )
    assert caplog.messages == [
        (
            "The configurations xpack.actions.proxyBypassHosts and xpack.actions.proxyOnlyHosts can not be used at the "
            "same time. The configuration xpack.actions.proxyOnlyHosts will be ignored."
        )
    ]


def test_headers_of_the_proxy_may_have_dots_and_come_as_json(folder: Path) -> None:
    (folder / "connectory.yml").write_text("xpack.actions: { proxyHeaders: { X.Team: a }, proxyHeaders.X-B: b }")
    assert load_settings(environ={}).proxy.headers == {"X.Team": "a", "X-B": "b"}
    variable = {"XPACK_ACTIONS_PROXYHEADERS": json.dumps({"X-C": "c"})}
    assert load_settings(environ=variable).proxy.headers == {"X-C": "c"}


def test_neither_proxy_url_nor_headers_are_shown() -> None:
    settings = load_settings(
        {"xpack.actions.proxyUrl": "http://u:sentinel@p", "xpack.actions.proxyHeaders": {"a": "sentinel"}}, environ={}
    )
    assert "sentinel" not in repr(settings)


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ({}, "[customHostSettings.0.url]: expected value of type [string] but got [undefined]"),
        ({"url": ""}, "[customHostSettings.0.url]: value has length [0] but it must have a minimum length of [1]."),
        (
            {"url": "https://a", "ssl": {"certificateAuthoritiesFiles": []}},
            "[customHostSettings.0.ssl.certificateAuthoritiesFiles]: array size is [0], but cannot be smaller than [1]",
        ),
        (
            {"url": "https://a", "ssl.rejectUnauthorized": False},
            (
                "[customHostSettings.0.ssl.rejectUnauthorized]: "
                "this setting is gone: use customHostSettings[n].ssl.verificationMode"
            ),
        ),
        (
            {"url": "https://a", "tls": {"rejectUnauthorized": False}},
            "[customHostSettings.0.tls]: this setting is gone: use customHostSettings[n].ssl.verificationMode",
        ),
        (
            {"url": "https://a", "http": True},
            "[customHostSettings.0.http]: definition for this key is missing",
        ),
    ],
)
def test_an_entry_that_does_not_fit_is_refused_with_its_path(entry: Mapping[str, object], line: str) -> None:
    assert refusal({"xpack.actions.customHostSettings": [entry]}) == f"config validation of [xpack.actions]: {line}"


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://mail.example", "https://mail.example:443"),
        ("https://Mail.Example:8443/", "https://mail.example:8443"),
        ("smtp://mail.example", "smtp://mail.example:25"),
        ("smtp://mail.example:587", "smtp://mail.example:587"),
    ],
)
def test_an_entry_is_reduced_to_protocol_host_and_port(url: str, canonical: str) -> None:
    assert resolved({"url": url}) == ((CustomHost(url=canonical),), [])


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://", 'invalid URL "https://", ignoring; error: Invalid URL'),
        ("http://a.example", 'unsupported protocol used in URL "http://a.example", ignoring'),
        ("smtp:///", 'unable to determine port for URL "smtp:///", ignoring'),
    ],
)
def test_an_entry_that_names_no_host_is_dropped(url: str, text: str) -> None:
    assert resolved({"url": url}) == ((), [PREFIX + text])


@pytest.mark.parametrize(
    ("url", "text"),
    [
        (
            "https://u:secret@a.example",
            (
                'URL "https://***@a.example" contains authentication information which will be ignored, '
                "but should be removed from the configuration"
            ),
        ),
        ("https://a.example#x", 'URL "https://a.example#x" contains hash information which will be ignored'),
        ("https://a.example/x", 'URL "https://a.example/x" contains path information which will be ignored'),
    ],
)
def test_parts_of_a_url_that_mean_nothing_here_are_ignored(url: str, text: str) -> None:
    assert resolved({"url": url}) == ((CustomHost(url="https://a.example:443"),), [PREFIX + text])


def test_smtp_properties_of_an_https_host_are_ignored() -> None:
    text = 'URL "https://a.example" contains smtp properties but does not use smtp; ignoring smtp properties'
    hosts, warnings = resolved({"url": "https://a.example", "smtp": {"requireTLS": True}})
    assert (hosts, warnings) == ((CustomHost(url="https://a.example:443"),), [PREFIX + text])


def test_of_both_smtp_properties_the_stricter_one_counts() -> None:
    hosts, warnings = resolved({"url": "smtp://a.example", "smtp": {"requireTLS": True, "ignoreTLS": True}})
    assert hosts == (CustomHost(url="smtp://a.example:25", require_tls=True, ignore_tls=False),)
    assert warnings == [
        (
            f'{PREFIX}URL "smtp://a.example" cannot have both requireTLS and ignoreTLS set to true; '
            "using requireTLS: true and ignoreTLS: false"
        )
    ]


def test_of_several_entries_for_a_host_the_first_counts() -> None:
    hosts, warnings = resolved(
        {"url": "https://a.example", "ssl": {"verificationMode": "none"}}, {"url": "https://a.example:443"}
    )
    assert hosts == (CustomHost(url="https://a.example:443", verification_mode="none"),)
    assert warnings == [
        f'{PREFIX}multiple URLs match the canonical url "https://a.example:443"; only the first will be used'
    ]


def test_files_of_authorities_are_appended_to_the_given_text(folder: Path) -> None:
    (folder / "a.pem").write_text("A")
    (folder / "b.pem").write_text("B")
    ssl = {"certificateAuthoritiesData": "D", "certificateAuthoritiesFiles": ["a.pem", "b.pem"]}
    (host,), warnings = resolved({"url": "https://a.example", "ssl": ssl})
    assert (host.certificate_authorities, warnings) == ("D\nA\nB", [])


def test_a_file_of_authorities_that_cannot_be_read_is_skipped() -> None:
    (host,), warnings = resolved({"url": "https://a.example", "ssl": {"certificateAuthoritiesFiles": "none.pem"}})
    assert host.certificate_authorities is None
    assert warnings == [
        'error reading file "none.pem" specified in xpack.actions.customHosts, ignoring: No such file or directory'
    ]
