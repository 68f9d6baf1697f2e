"""`.webhook` from registry to socket and back."""

import base64
import hmac
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectory.connector_types.contract import TypeSettings
from connectory.connector_types.registry import TypeRegistry
from connectory.domain.execution import Failed, Result, Succeeded
from connectory.infra.egress import AllowedHosts, EgressSettings, open_egress
from tests.connector_runs import run_action
from tests.fakes.http_target import Answer, HttpTarget, http_target, raw_target, resets, writes
from tests.fakes.tls import CA_PEM, client_pem, server_tls

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
types = TypeRegistry(settings=TypeSettings(hosts=AllowedHosts(["*"])))


@pytest.fixture
async def target() -> AsyncIterator[HttpTarget]:
    async with http_target() as target:
        yield target


async def run(
    url: str, config: dict[str, Any] | None = None, secrets: dict[str, Any] | None = None, **settings: Any
) -> Result:
    config = {"url": url, **(config or {})}
    async with open_egress(EgressSettings(user_agent="Connectory/test", **settings)) as egress:
        return await run_action(
            types, ".webhook", {"body": '{"a":1}'}, config=config, secrets=secrets, egress=egress, now=lambda: NOW
        )


def failed(message: str, service_message: str, **fields: Any) -> Failed:
    return Failed(
        message=f"error calling webhook, {message}",
        service_message=service_message,
        request_body_bytes=7,
        **fields,
    )


async def test_the_target_gets_headers_credentials_and_the_very_body(target: HttpTarget) -> None:
    config = {"method": "put", "headers": {"Content-Type": "application/json"}}
    secrets = {"user": "u", "password": "p", "secretHeaders": {"X-Key": "k"}}

    result = await run(f"{target.url}/hook?x=1", config, secrets)

    got = target.last
    assert result == Succeeded(data='{"a":1}', request_body_bytes=7)
    assert (got.method, got.path, got.body) == ("PUT", "/hook?x=1", b'{"a":1}')
    assert got.headers.items() >= {
        ("content-type", "application/json"),
        ("x-key", "k"),
        ("authorization", "Basic dTpw"),
        ("idempotency-key", "request-1"),
        ("user-agent", "Connectory/test"),
    }


@pytest.mark.parametrize("method", ["get", "delete"])
async def test_no_body_and_no_content_type_go_with_get_and_delete(target: HttpTarget, method: str) -> None:
    await run(target.url, {"method": method})

    assert (target.last.method, target.last.body) == (method.upper(), b"")
    assert "content-type" not in target.last.headers


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (
            Answer(status=400, reason="Bad Request", body=b'{"message":"no"}'),
            failed("invalid response", "[400] Bad Request: no", status=400),
        ),
        (Answer(status=502, reason="Bad Gateway"), failed("retry later", "[502] Bad Gateway", retry=True, status=502)),
        (
            Answer(status=429, reason="Slow Down", headers={"Retry-After": "90"}),
            failed(
                "retry at 2026-11-24T12:01:30.000Z",
                "[429] Slow Down",
                retry=NOW + timedelta(seconds=90),
                status=429,
                undelivered=True,
                retry_after=NOW + timedelta(seconds=90),
            ),
        ),
        (
            Answer(status=503, reason="Closed", headers={"Retry-After": "Tue, 24 Nov 2026 12:02:00 GMT"}),
            failed(
                "retry later",
                "[503] Closed",
                retry=True,
                status=503,
                undelivered=True,
                retry_after=NOW + timedelta(minutes=2),
            ),
        ),
        (Answer(status=304, reason="Not Modified"), failed("invalid response", "[304] Not Modified", status=304)),
        (
            Answer(body=b"x" * 1001),
            failed(
                "request failed",
                "[ERR_BAD_RESPONSE] maxContentLength size of 1000 exceeded",
                reason="exchange-refused",
            ),
        ),
        (
            Answer(status=307, headers={"Location": "http://169.254.169.254/"}),
            failed(
                "request failed",
                'target address "169.254.169.254" of host "169.254.169.254" is a cloud metadata address '
                "and is not listed in connectory.egress.allowedAddresses",
                retry=False,
                reason="egress-refused",
            ),
        ),
    ],
)
async def test_an_answer_becomes_a_result(target: HttpTarget, answer: Answer, result: Result) -> None:
    url = target.answers_with("/hook", answer)

    assert await run(url, max_response_content_length=1000) == result


async def test_a_target_that_does_not_answer_in_time(target: HttpTarget) -> None:
    result = await run(target.answers_with("/hook", Answer(hangs=True)), response_timeout=timedelta(milliseconds=50))

    text = "[ECONNABORTED] timeout of 50ms exceeded"
    assert result == failed("request failed", text, reason="egress-failed")


async def test_a_target_that_drops_the_connection() -> None:
    async with raw_target(resets) as url:
        assert await run(url) == failed("request failed", "[ECONNRESET] read ECONNRESET", reason="egress-failed")


async def test_a_target_that_speaks_nonsense() -> None:
    async with raw_target(writes(b"?\r\n\r\n")) as url:
        result = await run(url)

    assert isinstance(result, Failed)
    assert (result.service_message or "").startswith("[HPE_INVALID_CONSTANT] Parse Error: ")


async def test_a_target_that_is_not_there(unused_tcp_port: int) -> None:
    text = f"[ECONNREFUSED] connect ECONNREFUSED 127.0.0.1:{unused_tcp_port}"

    result = await run(f"http://127.0.0.1:{unused_tcp_port}/")

    assert result == failed("request failed", text, reason="egress-failed", undelivered=True)


async def test_a_connector_proves_itself_by_a_client_certificate() -> None:
    certificate, key = (base64.b64encode(each).decode() for each in client_pem("secret"))
    config = {"authType": "webhook-authentication-ssl", "ca": base64.b64encode(CA_PEM).decode()}
    secrets = {"crt": certificate, "key": key, "password": "secret"}

    async with http_target(server_tls("127.0.0.1", wants_client=True)) as target:
        assert await run(target.url, config, secrets) == Succeeded(data='{"a":1}', request_body_bytes=7)
        refused = await run(target.url, config, {**secrets, "password": "wrong"})

    assert isinstance(refused, Failed)
    assert (refused.service_message or "").startswith("the client certificate cannot be used: ")


async def test_a_connector_proves_itself_by_an_access_token(target: HttpTarget) -> None:
    token = target.answers_with("/token", Answer(body=b'{"token_type":"Bearer","access_token":"t1","expires_in":60}'))
    config = {"authType": "webhook-oauth2-client-credentials", "accessTokenUrl": token, "clientId": "me"}

    await run(f"{target.url}/hook", config, {"clientSecret": "s"})

    asked, got = target.received
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded; charset=UTF-8"
    assert asked.body == b"grant_type=client_credentials&client_id=me&client_secret=s"
    assert got.headers["authorization"] == "Bearer t1"


async def test_a_connector_signs_what_it_sends(target: HttpTarget) -> None:
    await run(target.url, secrets={"signingSecrets": [base64.b64encode(b"k" * 32).decode()]})

    signed = f"request-1.{int(NOW.timestamp())}.".encode() + target.last.body
    signature = base64.b64encode(hmac.new(b"k" * 32, signed, "sha256").digest()).decode()
    assert target.last.headers["webhook-signature"] == f"v1,{signature}"
