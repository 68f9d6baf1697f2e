"""Keeping opened secrets out of texts and data."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectory.domain.json_types import JsonObject
from connectory.domain.secrets import REDACTED
from connectory.infra.crypto import MIN_LENGTH, Redactor

SECRET = 'pa"ss wörd/+1'


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_secret_is_replaced_in_every_usual_encoding(form: str) -> None:
    redacted = Redactor({"token": SECRET}).redact(f"target said <{form}>")
    assert REDACTED in redacted
    assert form.strip('"=') not in redacted


def test_basic_credentials_are_replaced_as_a_whole() -> None:
    header = base64.b64encode(b"ann:open sesame").decode()
    redactor = Redactor({"user": "ann", "password": "open sesame"})
    assert redactor.redact(f"Authorization: Basic {header}") == f"Authorization: Basic {REDACTED}"


@pytest.mark.parametrize("login", ["", "a", "ab", "abc", "ann@example.com"])
@pytest.mark.parametrize("after", ["", "\n", "--"])
def test_a_secret_within_base64_is_replaced_whatever_stands_around_it(login: str, after: str) -> None:
    header = base64.b64encode(f"{login}:open sesame{after}".encode()).decode()
    redacted = Redactor({"apiToken": "open sesame"}).redact(header)
    characters_of_it_alone = 14
    assert len(redacted.replace(REDACTED, "")) <= len(header) - characters_of_it_alone


def test_a_secret_within_another_leaves_no_rest() -> None:
    assert Redactor({"a": "secret", "b": "secret-and-more"}).redact("<secret-and-more>") == f"<{REDACTED}>"


def test_secrets_are_found_at_any_depth() -> None:
    redactor = Redactor({"secretHeaders": {"X-Token": "token-1"}, "list": ["token-2", 5, None, True]})
    assert redactor.redact("token-1, token-2") == f"{REDACTED}, {REDACTED}"


def test_short_values_are_left_alone() -> None:
    assert Redactor({"user": "a" * (MIN_LENGTH - 1)}).redact("banaaana") == "banaaana"


def test_data_is_redacted_in_keys_and_values() -> None:
    data: JsonObject = {"echo": [{"token-1": "was token-1"}], "status": 200, "ok": True, "rest": None}
    assert Redactor({"token": "token-1"}).redact_json(data) == {
        "echo": [{REDACTED: f"was {REDACTED}"}],
        "status": 200,
        "ok": True,
        "rest": None,
    }


def test_without_secrets_nothing_is_touched() -> None:
    data = {"deep": ["as it was"]}
    redactor = Redactor({})
    assert redactor.redact_json(data) is data
    assert redactor.redact("as it was") == "as it was"


@given(secret=st.text(min_size=MIN_LENGTH), before=st.text(), after=st.text())
def test_no_text_keeps_a_secret(secret: str, before: str, after: str) -> None:
    redacted = Redactor({"secret": secret}).redact(before + secret + after)
    assert all(secret not in part for part in redacted.split(REDACTED))
