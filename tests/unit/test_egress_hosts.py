"""Allowed hosts: exact names in WHATWG form."""

import pytest

from connectory.infra.egress import AllowedHosts
from connectory.infra.egress.hosts import without_credentials


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("example.com", "https://EXAMPLE.com:8443/path"),
        ("Example.COM", "http://example.com"),
        ("bücher.example", "https://xn--bcher-kva.example/"),
        ("127.0.0.1", "http://2130706433/"),
        ("127.0.0.1", "http://0x7f.1/"),
        ("0x7f000001", "http://127.0.0.1/"),
        ("::1", "http://[0:0:0:0:0:0:0:1]/"),
        ("[::1]", "http://[::1]:80/"),
        ("*", "http://anything.test/"),
        ("*", "not a url at all"),
    ],
)
def test_a_host_is_allowed_in_whatever_way_it_is_written(entry: str, url: str) -> None:
    assert AllowedHosts([entry]).check_url(url) is None


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("example.com", "http://www.example.com/"),
        ("example.com", "http://example.com./"),
        ("example.com", "http://notexample.com/"),
        ("example.com", "http://example.com@evil.test/"),
        ("example.com:443", "https://example.com/"),
        ("example.com/x", "https://example.com/"),
        ("*.example.com", "http://a.example.com/"),
        ("example.com", "example.com/path"),
        ("example.com", "mailto:a@example.com"),
        ("example.com", "http:///"),
    ],
)
def test_any_other_host_is_not(entry: str, url: str) -> None:
    assert AllowedHosts([entry]).check_url(url) is not None


def test_an_empty_list_allows_nothing_and_a_star_among_names_allows_all() -> None:
    assert AllowedHosts([]).check_hostname("a.test") is not None
    assert AllowedHosts(["b.test", "*"]).check_hostname("a.test") is None


def test_a_refusal_shows_what_was_checked_without_its_credentials() -> None:
    hosts = AllowedHosts([])

    assert hosts.check_url("https://me:sentinel@a.test/x?y=@") == (
        'target url "https://a.test/x?y=@" is not added to the Kibana config xpack.actions.allowedHosts'
    )
    assert hosts.check_hostname("a.test") == (
        'target hostname "a.test" is not added to the Kibana config xpack.actions.allowedHosts'
    )


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://a.test/@x", "http://a.test/@x"),
        ("HTTP://A.test", "HTTP://A.test"),
        ("http:\\\\u:p@a.test", "http://a.test/"),
        ("http://u:p@q@a.test/", "http://a.test/"),
        ("http:u:p@a.test/", "http://a.test/"),
        ("ht\ttp://u:p@a.test/", "http://a.test/"),
        ("http://u:p@a b/", "http:a b/"),
        ("not a url", "not a url"),
    ],
)
def test_credentials_are_cut_out_of_what_is_shown(url: str, shown: str) -> None:
    assert without_credentials(url) == shown


@pytest.mark.parametrize(
    ("url", "parses"),
    [("https://a.test", True), ("mailto:ops@a.test", True), ("a.test", False), ("http://[fe80::1%25e]/", False)],
)
def test_what_parses_is_what_whatwg_says(url: str, parses: bool) -> None:
    assert AllowedHosts([]).parses(url) is parses
