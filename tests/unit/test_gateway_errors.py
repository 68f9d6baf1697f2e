"""Errors as answers: status, text, and what is kept from the caller."""

import logging

import pytest

from connectory.domain.errors import (
    ConnectoryError,
    EncryptionKeyMissing,
    MessageTooLarge,
    Refused,
    SecretsUnreadable,
    Unavailable,
    Unencodable,
)
from connectory.gateway.errors import AWAY, INTERNAL_TEXT, OutcomeUnknown, Rejected, problem_of


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (Refused.not_found("c"), 404, "Not Found"),
        (Refused.conflict("c"), 409, "Conflict"),
        (Refused.type_not_registered(".x"), 400, "Bad Request"),
        (Refused.config_invalid("x"), 400, "Bad Request"),
        (Refused.secrets_invalid("x"), 400, "Bad Request"),
        (Refused.connector_invalid("x"), 400, "Bad Request"),
        (Refused.type_disabled("x"), 403, "Forbidden"),
        (Unencodable("x"), 400, "Bad Request"),
        (MessageTooLarge("x"), 413, "Request Entity Too Large"),
        (EncryptionKeyMissing("execute action"), 500, "Internal Server Error"),
        (Rejected.unauthorized(), 401, "Unauthorized"),
        (Rejected(415, "Unsupported Media Type"), 415, "Unsupported Media Type"),
    ],
)
def test_an_error_of_the_tree_has_its_status_and_its_own_text(error: ConnectoryError, status: int, reason: str) -> None:
    body = problem_of(error).body()

    assert body == {"statusCode": status, "error": reason, "message": error.message}


@pytest.mark.parametrize("error", [ConnectoryError("boom"), SecretsUnreadable("boom"), Refused("unheard-of", "boom")])
def test_what_is_not_the_callers_business_is_logged_and_told_in_general_words(
    error: ConnectoryError, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        problem = problem_of(error)

    assert (problem.status, problem.message) == (500, INTERNAL_TEXT)
    assert "boom" in caplog.text


def test_a_change_of_unknown_outcome_names_the_command_to_repeat() -> None:
    body = problem_of(OutcomeUnknown.of_command("k1")).body()

    assert (body["statusCode"], body["attributes"]) == (503, {"command_id": "k1"})


def test_addresses_of_servers_are_not_told_to_callers() -> None:
    problem = problem_of(Unavailable("Cannot reach Kafka at 10.1.2.3:9092"))

    assert (problem.status, problem.message) == (503, AWAY.message)
