"""`.teams`: what is sent, and what each answer means."""

from typing import Any

import pytest

from connectory.connector_types.contract import EgressFailed
from connectory.domain.errors import Refused
from connectory.domain.execution import ErrorSource, Failed, Result, Succeeded
from tests.connector_runs import run_action
from tests.connector_types import IN_A_MINUTE, NOW, registry
from tests.fakes.egress import FakeEgress, responds

URL = "https://teams.test/hook"
THROTTLED = b"... returned HTTP error 429 with ErrorCode:ApplicationThrottled ..."
LATER = "error posting a Microsoft Teams message, retry later"
INVALID = "error posting to Microsoft Teams, invalid response"


async def post(egress: FakeEgress) -> Result:
    return await run_action(
        registry(), ".teams", {"message": "hi"}, secrets={"webhookUrl": URL}, egress=egress, now=lambda: NOW
    )


async def test_a_message_is_posted() -> None:
    egress = FakeEgress(responds(200, body=b"1"))

    assert await post(egress) == Succeeded(data={"text": "1"}, request_body_bytes=13)
    assert (egress.sent.method, egress.sent.url, egress.sent.body) == ("POST", URL, b'{"text":"hi"}')


@pytest.mark.parametrize(
    ("status", "body", "message", "told", "retry", "source"),
    [
        (200, THROTTLED, LATER, None, True, ErrorSource.USER),
        (500, b"", LATER, None, True, ErrorSource.FRAMEWORK),
        (429, b"", INVALID, "[429] No", None, ErrorSource.USER),
        (404, b"", INVALID, "[404] No", None, ErrorSource.USER),
    ],
)
async def test_what_an_answer_means(
    status: int, body: bytes, message: str, told: str | None, retry: Any, source: ErrorSource
) -> None:
    result = await post(FakeEgress(responds(status, "No", body)))

    assert isinstance(result, Failed)
    assert (result.message, result.service_message, result.retry, result.error_source) == (message, told, retry, source)


async def test_a_throttled_message_is_sent_again_when_teams_says() -> None:
    result = await post(FakeEgress(responds(200, body=THROTTLED, headers={"retry-after": "60"})))

    assert isinstance(result, Failed)
    assert result.message == f"error posting a Microsoft Teams message, retry at {IN_A_MINUTE}"
    assert result.service_message == "hi"


async def test_no_answer_is_an_unexpected_error() -> None:
    result = await post(FakeEgress(EgressFailed("gone")))

    assert isinstance(result, Failed)
    assert result.message == "error posting to Microsoft Teams, unexpected error"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("nowhere", "unable to parse host name from webhookUrl"),
        (URL, f'target url "{URL}" is not added to the Kibana config xpack.actions.allowedHosts'),
    ],
)
def test_a_webhook_url_that_cannot_be_called_is_not_saved(url: str, problem: str) -> None:
    with pytest.raises(Refused) as refused:
        registry([]).check(".teams", {}, {"webhookUrl": url})

    assert refused.value.message.endswith(f"secrets: error configuring teams action: {problem}")
