"""`.webhook`: what may be saved, what is sent, and what each answer means."""

from datetime import UTC, datetime
from typing import Any

import pytest

from connectory.connector_types.contract import EgressFailed, EgressRefused, OutgoingRequest, TypeSettings
from connectory.connector_types.registry import TypeRegistry
from connectory.domain.errors import Refused
from connectory.domain.execution import Failed, Result, Succeeded
from connectory.infra.egress import AllowedHosts
from tests.connector_runs import run_action
from tests.fakes.egress import FakeEgress, responds

NOW = datetime(2026, 11, 24, 12, 0, 0, 250_000, tzinfo=UTC)
URL = "https://target.test/hook"
SAVED = {"url": URL, "method": "post", "headers": None, "hasAuth": True, "additionalFields": None}


def registry(hosts: list[str] | None = None, *, pfx: bool = True) -> TypeRegistry:
    return TypeRegistry(
        settings=TypeSettings(hosts=AllowedHosts(["*"] if hosts is None else hosts), webhook_pfx_enabled=pfx)
    )


async def run(
    egress: FakeEgress,
    config: dict[str, Any] | None = None,
    secrets: dict[str, Any] | None = None,
    body: str | None = '{"a": 1}',
) -> Result:
    config = {"url": URL, **(config or {})}
    params = {} if body is None else {"body": body}
    return await run_action(
        registry(), ".webhook", params, config=config, secrets=secrets, egress=egress, now=lambda: NOW
    )


async def sent(
    config: dict[str, Any] | None = None, secrets: dict[str, Any] | None = None, body: str | None = "x"
) -> OutgoingRequest:
    egress = FakeEgress()
    await run(egress, config, secrets, body)
    return egress.sent


@pytest.mark.parametrize(
    ("config", "saved"),
    [
        ({}, SAVED),
        ({"hasAuth": False}, {**SAVED, "hasAuth": False}),
        ({"authType": None}, {**SAVED, "authType": None}),
        ({"headers": {"b": "1", "a": "2"}, "ca": "eA=="}, {**SAVED, "headers": {"b": "1", "a": "2"}, "ca": "eA=="}),
        ({"method": "get", "verificationMode": "none"}, {**SAVED, "method": "get", "verificationMode": "none"}),
    ],
)
def test_the_saved_config_has_the_defaults_and_nulls_of_the_contract(
    config: dict[str, Any], saved: dict[str, Any]
) -> None:
    assert registry().check(".webhook", {"url": URL, **config}, {}) == saved


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"url": "nowhere"}, "unable to parse url: TypeError: Invalid URL"),
        (
            {"url": "https://u:sentinel@other.test/x"},
            'target url "https://other.test/x" is not added to the Kibana config xpack.actions.allowedHosts',
        ),
        (
            {"hasAuth": False, "authType": "webhook-authentication-basic"},
            "authType must be null or undefined if hasAuth is false",
        ),
        ({"certType": "ssl-pfx"}, 'certType "ssl-pfx" is disabled'),
        ({"additionalFields": "{}"}, "additionalFields must be a non-empty JSON object."),
        ({"additionalFields": "[1]"}, "additionalFields must be a non-empty JSON object."),
        ({"additionalFields": "nonsense"}, "additionalFields must be a non-empty JSON object."),
        (
            {"authType": "webhook-oauth2-client-credentials"},
            "missing Access Token URL (accessTokenUrl), Client ID (clientId) fields",
        ),
        (
            {"authType": "webhook-oauth2-client-credentials", "accessTokenUrl": "x"},
            "missing Client ID (clientId) fields",
        ),
        (
            {"authType": "webhook-oauth2-client-credentials", "accessTokenUrl": "x", "clientId": "me"},
            "unable to parse url: TypeError: Invalid URL",
        ),
        (
            {"authType": "webhook-oauth2-client-credentials", "accessTokenUrl": "https://id.test", "clientId": "me"},
            'target url "https://id.test" is not added to the Kibana config xpack.actions.allowedHosts',
        ),
        ({"authType": "OAuth2Password"}, "OAuth2 password grant authentication is not supported"),
    ],
)
def test_a_config_that_breaks_a_rule_is_refused(config: dict[str, Any], problem: str) -> None:
    with pytest.raises(Refused) as caught:
        registry(["target.test"], pfx=False).check(".webhook", {"url": URL, **config}, {})

    prefix = "error validating connector type config: error validation webhook action config: "
    assert (caught.value.code, caught.value.message) == ("config-invalid", prefix + problem)


@pytest.mark.parametrize(
    "secrets",
    [
        {},
        {"user": "u", "password": "p"},
        {"user": None, "password": None},
        {"crt": "c", "key": "k"},
        {"crt": "c", "key": "k", "password": "p"},
        {"pfx": "x"},
        {"pfx": "x", "password": "p", "secretHeaders": {"a": "b"}},
        {"clientSecret": "s"},
        {"secretHeaders": {"a": "b"}},
    ],
)
def test_secrets_of_exactly_one_scheme_are_accepted(secrets: dict[str, Any]) -> None:
    assert registry().check(".webhook", {"url": URL}, secrets) == SAVED


@pytest.mark.parametrize(
    "secrets",
    [{"user": "u"}, {"password": "p"}, {"crt": "c"}, {"user": "u", "password": "p", "pfx": "x"}, {"key": "k"}],
)
def test_secrets_of_no_scheme_are_refused(secrets: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        registry().check(".webhook", {"url": URL}, secrets)

    assert caught.value.message == (
        "error validating connector type secrets: ✖ must specify one of the following schemas: user and password; "
        "crt and key (with optional password); pfx (with optional password); or clientSecret (for OAuth2)"
    )


@pytest.mark.parametrize("method", ["post", "put", "patch"])
async def test_a_body_is_sent_verbatim(method: str) -> None:
    request = await sent({"method": method}, body="é{")

    assert (request.method, request.url, request.body) == (method.upper(), URL, "é{".encode())


@pytest.mark.parametrize("method", ["get", "delete"])
async def test_a_body_is_dropped_where_the_method_has_none(method: str) -> None:
    egress = FakeEgress()

    result = await run(egress, {"method": method}, body="x")

    assert (egress.sent.body, result) == (None, Succeeded(data="x", request_body_bytes=0))


async def test_secret_headers_replace_config_headers_and_credentials_replace_both() -> None:
    request = await sent(
        {"headers": {"x-token": "open", "authorization": "mine", "Accept": "a"}},
        {"user": "u", "password": "p", "secretHeaders": {"X-Token": "hidden", "AUTHORIZATION": "secret"}},
    )

    assert request.headers == {
        "Accept": "a",
        "X-Token": "hidden",
        "Authorization": "Basic dTpw",
        "Idempotency-Key": "request-1",
    }
    assert request.secret_headers == {"x-token", "authorization"}


@pytest.mark.parametrize(
    ("config", "secrets"), [({}, {}), ({"hasAuth": False}, {"user": "u", "password": "p"}), ({}, {"pfx": "x"})]
)
async def test_no_credentials_are_sent_without_both_user_and_password(
    config: dict[str, Any], secrets: dict[str, Any]
) -> None:
    assert "Authorization" not in (await sent(config, secrets)).headers


async def test_an_idempotency_key_of_the_user_wins() -> None:
    assert (await sent({"headers": {"idempotency-key": "mine"}})).headers == {"idempotency-key": "mine"}


@pytest.mark.parametrize(("ca", "pem"), [("cGVt", b"pem"), ("cGV", b"pe"), ("c", b"")])
async def test_tls_settings_of_the_connector_go_with_the_request(ca: str, pem: bytes) -> None:
    request = await sent({"ca": ca, "verificationMode": "certificate"})

    assert (request.ca_pem, request.verification_mode) == (pem, "certificate")


async def test_success_answers_with_what_was_sent() -> None:
    result = await run(FakeEgress(responds(204, body=b"ignored")), body="né")

    assert result == Succeeded(data="né", request_body_bytes=3)


@pytest.mark.parametrize(
    ("status", "headers", "message", "retry"),
    [
        (500, {}, "retry later", True),
        (599, {"retry-after": "5"}, "retry later", True),
        (429, {"retry-after": "5"}, "retry at 2026-11-24T12:00:05.250Z", NOW.replace(second=5)),
        (
            429,
            {"retry-after": "Tue, 24 Nov 2026 12:01:00 GMT"},
            "retry at 2026-11-24T12:01:00.000Z",
            datetime(2026, 11, 24, 12, 1, tzinfo=UTC),
        ),
        (429, {}, "retry later", True),
        (429, {"retry-after": "soon"}, "retry later", True),
        (429, {"retry-after": "-1"}, "retry later", True),
        (429, {"retry-after": "9" * 30}, "retry later", True),
        (404, {"retry-after": "5"}, "invalid response", None),
        (304, {}, "invalid response", None),
    ],
)
async def test_a_status_says_whether_another_attempt_may_help(
    status: int, headers: dict[str, str], message: str, retry: object
) -> None:
    result = await run(FakeEgress(responds(status, "Said So", headers=headers)))

    assert isinstance(result, Failed)
    assert (result.message, result.retry) == (f"error calling webhook, {message}", retry)
    assert (result.service_message, result.request_body_bytes) == (f"[{status}] Said So", 8)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"message": "no such room"}', ": no such room"),
        (b'{"message": {"a": [1, "\xc3\xa9"]}}', ': {"a":[1,"\xe9"]}'),
        (b'{"message": ""}', ""),
        (b'{"other": 1}', ""),
        (b"[1]", ""),
        (b"<html>", ""),
        (b"\xff\xfe", ""),
        (b"", ""),
    ],
)
async def test_the_message_of_an_error_response_is_passed_on(body: bytes, said: str) -> None:
    result = await run(FakeEgress(responds(400, "Bad Request", body)))

    assert isinstance(result, Failed)
    assert result.service_message == f"[400] Bad Request{said}"


@pytest.mark.parametrize(
    ("failure", "service_message", "retry", "reason"),
    [
        (EgressFailed("socket hang up", "ECONNRESET"), "[ECONNRESET] socket hang up", None, "egress-failed"),
        (EgressFailed("odd"), "odd", None, "egress-failed"),
        (EgressRefused("not allowed"), "not allowed", False, "egress-refused"),
    ],
)
async def test_a_call_without_a_response_has_failed(
    failure: EgressFailed, service_message: str, retry: bool | None, reason: str
) -> None:
    assert await run(FakeEgress(failure)) == Failed(
        message="error calling webhook, request failed",
        service_message=service_message,
        retry=retry,
        reason=reason,
        request_body_bytes=8,
    )
