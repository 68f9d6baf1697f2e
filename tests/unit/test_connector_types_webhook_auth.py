"""How the webhook family proves itself: client certificates, OAuth 2.0, query parameters, signatures."""

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectory.connector_types.contract import (
    AccessTokens,
    ClientCertificate,
    EgressFailed,
    EgressRefused,
    OutgoingRequest,
    OutgoingResponse,
    TypeSettings,
)
from connectory.connector_types.registry import TypeRegistry
from connectory.connector_types.standard_webhooks import signature_headers
from connectory.domain.errors import Refused
from connectory.domain.execution import Failed, Result, Succeeded
from connectory.infra.egress import AllowedHosts
from tests.connector_runs import run_action
from tests.fakes.egress import FakeEgress, responds

GUIDE = Path(__file__).parents[2] / "docs/how-to/prove-webhooks.md"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
URL, TOKEN_URL = "https://target.test/hook", "https://id.test/token"
OAUTH = {
    "authType": "webhook-oauth2-client-credentials",
    "accessTokenUrl": TOKEN_URL,
    "clientId": "me",
    "scope": "all",
    "additionalFields": '{"audience":"x"}',
}
TOKEN = responds(200, "OK", json.dumps({"token_type": "Bearer", "access_token": "t1", "expires_in": 600}).encode())
types = TypeRegistry(settings=TypeSettings(hosts=AllowedHosts(["*"])))


class ByUrl(FakeEgress):
    """Answers the token endpoint and the target each in its own way."""

    def __init__(self, token: OutgoingResponse | EgressFailed = TOKEN, target: OutgoingResponse | None = None) -> None:
        super().__init__()
        self.answers = {TOKEN_URL: token, URL: target or responds(200)}

    async def send(self, request: OutgoingRequest) -> OutgoingResponse:
        self.requests.append(request)
        answer = self.answers[request.url]
        if isinstance(answer, EgressFailed):
            raise answer
        return answer


async def run(
    egress: FakeEgress,
    config: dict[str, Any],
    secrets: dict[str, Any],
    tokens: AccessTokens | None = None,
    type_id: str = ".webhook",
) -> Result:
    config = {"url": URL, **config}
    params = {"body": "x"}
    return await run_action(
        types, type_id, params, config=config, secrets=secrets, egress=egress, tokens=tokens, now=lambda: NOW
    )


async def sent(config: dict[str, Any], secrets: dict[str, Any]) -> OutgoingRequest:
    egress = FakeEgress()
    await run(egress, config, secrets)
    return egress.sent


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


async def test_a_certificate_and_key_go_with_the_request() -> None:
    secrets = {"crt": encoded("CRT"), "key": encoded("KEY"), "password": "p"}

    request = await sent({"authType": "webhook-authentication-ssl", "certType": "ssl-crt-key"}, secrets)

    assert request.client_certificate == ClientCertificate(certificate=b"CRT", key=b"KEY", passphrase="p")
    assert "Authorization" not in request.headers


async def test_a_pfx_goes_with_the_request() -> None:
    request = await sent({"authType": "webhook-authentication-ssl", "certType": "ssl-pfx"}, {"pfx": encoded("PFX")})

    assert request.client_certificate == ClientCertificate(pfx=b"PFX")


@pytest.mark.parametrize("config", [{}, {"hasAuth": False}, {"authType": "webhook-authentication-basic"}])
async def test_a_certificate_goes_with_its_own_kind_of_authentication_only(config: dict[str, Any]) -> None:
    assert (await sent(config, {"crt": encoded("CRT"), "key": encoded("KEY")})).client_certificate is None


async def test_an_access_token_is_asked_for_and_sent() -> None:
    egress = ByUrl()

    result = await run(egress, OAUTH, {"clientSecret": "s"})

    token, call = egress.requests
    assert result == Succeeded(data="x", request_body_bytes=1)
    assert token.body == "grant_type=client_credentials&scope=all&client_id=me&client_secret=s&audience=x"
    assert call.headers["Authorization"] == "Bearer t1"


async def test_with_an_access_token_neither_secret_headers_nor_trust_of_its_own_apply() -> None:
    egress = ByUrl()
    config = {**OAUTH, "ca": "eA==", "verificationMode": "none", "headers": {"authorization": "mine", "X-A": "1"}}

    await run(egress, config, {"clientSecret": "s", "secretHeaders": {"X-Key": "k"}})

    call = egress.requests[-1]
    assert call.headers == {"X-A": "1", "Authorization": "Bearer t1", "Idempotency-Key": "request-1"}
    assert (call.ca_pem, call.verification_mode) == (None, None)


@pytest.mark.parametrize(("status", "fetched"), [(200, 1), (401, 2), (500, 1)])
async def test_a_refused_call_has_the_next_run_fetch_a_new_token(status: int, fetched: int) -> None:
    egress, tokens = ByUrl(target=responds(status)), AccessTokens()

    for _ in range(2):
        await run(egress, OAUTH, {"clientSecret": "s"}, tokens)

    assert [each.url for each in egress.requests].count(TOKEN_URL) == fetched


@pytest.mark.parametrize(
    ("token", "text", "fields"),
    [
        (
            responds(401, "", b'{"error":"no","a":1}'),
            'Unable to retrieve/refresh the access token: {"a":1,"error":"no"}',
            {"reason": "token-refused", "status": 401},
        ),
        (
            EgressFailed("connect ECONNREFUSED id.test:443", "ECONNREFUSED"),
            "Unable to retrieve/refresh the access token: connect ECONNREFUSED id.test:443",
            {"reason": "egress-failed"},
        ),
        (
            EgressRefused("guarded"),
            "Unable to retrieve/refresh the access token: guarded",
            {"reason": "egress-refused", "retry": False},
        ),
    ],
)
async def test_without_a_token_nothing_is_sent(
    token: OutgoingResponse | EgressFailed, text: str, fields: dict[str, Any]
) -> None:
    egress = ByUrl(token)

    result = await run(egress, OAUTH, {"clientSecret": "s"})

    message = "error calling webhook, request failed"
    assert result == Failed(message=message, service_message=text, undelivered=True, **fields)
    assert URL not in [each.url for each in egress.requests]


async def test_a_token_that_a_target_echoes_is_not_told() -> None:
    refused = await run(
        ByUrl(target=responds(401, "No", b'{"message":"t1 is not valid"}')), OAUTH, {"clientSecret": "s"}
    )

    assert isinstance(refused, Failed)
    assert refused.service_message == "[401] No: [redacted] is not valid"


async def test_data_that_holds_the_token_is_told_without_it() -> None:
    egress = ByUrl(target=responds(200, "OK", b'{"headers":["Bearer t1"]}'))

    told = await run(egress, OAUTH, {"clientSecret": "s"}, type_id=".http")

    assert isinstance(told, Succeeded)
    assert "t1" not in json.dumps(told.data)


async def test_without_a_client_secret_no_token_is_asked_for() -> None:
    egress = ByUrl()

    result = await run(egress, OAUTH, {})

    assert isinstance(result, Failed)
    assert (result.service_message, egress.requests) == ("Unable to retrieve new access token", [])


def test_a_signature_is_that_of_the_specification() -> None:
    secret, message_id = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"

    headers = signature_headers([secret], message_id, datetime.fromtimestamp(1614265330, UTC), b'{"test": 2432232314}')

    assert headers == {
        "webhook-id": message_id,
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_verification_in_the_guide_accepts_what_is_signed_and_nothing_else() -> None:
    guide: dict[str, Callable[..., bool]] = {}
    exec(re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL)[0], guide)
    old, new = encoded("o" * 24), encoded("n" * 24)
    headers = signature_headers([new, old], "r1", datetime.now(UTC), b"x")

    assert guide["verify"](old, headers, b"x")
    assert not guide["verify"](old, headers, b"y")
    assert not guide["verify"](encoded("z" * 24), headers, b"x")
    assert not guide["verify"](old, headers, b"x", tolerance=-1.0)


async def test_each_signing_secret_signs_so_that_they_can_be_rotated() -> None:
    old, new = encoded("o" * 24), f"whsec_{encoded('n' * 32)}"

    both = await sent({}, {"user": "u", "password": "p", "signingSecrets": [new, old]})
    one = await sent({}, {"signingSecrets": [old]})

    assert both.headers["webhook-signature"].split(" ")[1] == one.headers["webhook-signature"]
    assert (one.headers["webhook-id"], one.headers["webhook-timestamp"]) == ("request-1", "1795521600")


async def test_nothing_is_signed_without_signing_secrets() -> None:
    assert not [name for name in (await sent({}, {})).headers if name.startswith("webhook-")]


@pytest.mark.parametrize("secrets", [[], ["short"], ["whsec_!"], [encoded("x" * 65)], [encoded("x" * 24)] * 6])
def test_signing_secrets_that_cannot_be_used_are_refused_without_being_shown(secrets: list[str]) -> None:
    with pytest.raises(Refused) as caught:
        types.check(".webhook", {"url": URL}, {"signingSecrets": secrets})

    assert "signingSecrets" in caught.value.message
    assert not any(secret in caught.value.message for secret in secrets if secret != "short")


async def test_a_token_lives_with_the_process_and_not_with_the_run() -> None:
    egress, tokens, at = ByUrl(), AccessTokens(), [NOW]

    for passed in (0, 500, 100):
        at[0] += timedelta(seconds=passed)
        await run_action(
            types,
            ".webhook",
            {},
            config={"url": URL, **OAUTH},
            secrets={"clientSecret": "s"},
            egress=egress,
            tokens=tokens,
            now=lambda: at[0],
        )

    assert [each.url for each in egress.requests].count(TOKEN_URL) == 2
