"""`.gen-ai`: what each provider is sent, and what its answers mean."""

import base64
import json
from typing import Any

import pytest

from connectory.connector_types.contract import EgressFailed
from connectory.domain.errors import Refused
from connectory.domain.execution import ErrorSource, Failed, Result, Succeeded, TokenUsage
from tests.connector_runs import run_action
from tests.connector_types import registry, rendered
from tests.fakes.egress import FakeEgress, responds

OPENAI = {"apiProvider": "OpenAI", "apiUrl": "https://api.openai.com/v1/chat/completions"}
AZURE_URL = "https://a.test/openai/deployments/d/chat/completions?api-version=2024-02-01"
AZURE = {"apiProvider": "Azure OpenAI", "apiUrl": AZURE_URL}
OTHER = {"apiProvider": "Other", "apiUrl": "https://llm.test/v1", "defaultModel": "m"}
KEY = {"apiKey": "key"}
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
EVENTS = b'data: {"a": 1}\n\ndata: {"b": 2}\n\ndata: [DONE]\n\n'


def pem(kind: str) -> str:
    return base64.b64encode(f"-----BEGIN {kind}-----\nAA==\n-----END {kind}-----\n".encode()).decode()


PKI = {"certificateData": pem("CERTIFICATE"), "privateKeyData": pem("PRIVATE KEY")}


def completing(text: str | None = " hello ") -> FakeEgress:
    body = {"choices": [{"message": {"content": text}}], "usage": USAGE, "id": "x"}
    return FakeEgress(responds(200, body=json.dumps(body).encode()))


async def call(
    egress: FakeEgress,
    sub_action: str,
    params: dict[str, Any],
    config: dict[str, Any] = OPENAI,
    secrets: dict[str, Any] = KEY,
) -> Result:
    given = {"subAction": sub_action, "subActionParams": params}
    return await run_action(registry(), ".gen-ai", given, config=config, secrets=secrets, egress=egress)


@pytest.mark.parametrize(
    ("config", "sub_action", "body", "sent"),
    [
        (OPENAI, "run", {}, {"model": "gpt-4.1", "stream": False}),
        (OPENAI, "run", {"model": "x", "stream": True}, {"model": "x", "stream": False}),
        ({**OPENAI, "apiUrl": "https://a.test/v1"}, "test", {"stream": True}, {"stream": True, "model": "gpt-4.1"}),
        ({**OPENAI, "defaultModel": "y"}, "run", {}, {"model": "y", "stream": False}),
        (AZURE, "run", {"stream": True}, {"stream": False}),
        ({**AZURE, "apiUrl": "https://a.test/x"}, "run", {"stream": True}, {"stream": True}),
        (OTHER, "run", {"stream": True}, {"stream": False}),
        (OTHER, "stream", {"stream": True}, {"model": "m", "stream": False}),
        (AZURE, "stream", {"stream": True}, {"stream": False}),
    ],
)
async def test_stream_is_forced_and_the_model_filled_in(
    config: dict[str, Any], sub_action: str, body: dict[str, Any], sent: dict[str, Any]
) -> None:
    egress = completing()

    result = await call(egress, sub_action, {"body": json.dumps(body)}, config)

    assert isinstance(result, Succeeded)
    assert (egress.sent.method, egress.sent.url) == ("POST", config["apiUrl"])
    assert json.loads(egress.sent.body or b"") == sent


async def test_other_providers_are_told_the_model_when_they_stream() -> None:
    egress = FakeEgress(responds(200, body=EVENTS))

    result = await call(egress, "stream", {"body": "{}", "stream": True}, OTHER)

    assert isinstance(result, Succeeded)
    assert result.data == EVENTS.decode()
    assert json.loads(egress.sent.body or b"") == {"model": "m", "stream": True}


async def test_a_body_that_is_no_json_passes_as_it_is() -> None:
    egress = completing()

    await call(egress, "run", {"body": "{oops"})

    assert egress.sent.body == b"{oops"


@pytest.mark.parametrize(
    ("config", "headers"),
    [
        ({**OPENAI, "organizationId": "o", "projectId": "p"},
         {"Authorization": "Bearer key", "OpenAI-Organization": "o", "OpenAI-Project": "p"}),
        ({**OPENAI, "headers": {"x": "1", "authorization": "mine"}}, {"Authorization": "Bearer key", "x": "1"}),
        (AZURE, {"api-key": "key"}),
        (OTHER, {"Authorization": "Bearer key"}),
    ],
)  # fmt: skip
async def test_each_provider_is_shown_the_key_its_way(config: dict[str, Any], headers: dict[str, str]) -> None:
    egress = completing()

    await call(egress, "run", {"body": "{}"}, config)

    assert egress.sent.headers == {"Content-Type": "application/json", **headers}


async def test_other_providers_may_be_shown_a_certificate() -> None:
    egress = completing()

    await call(
        egress, "run", {"body": "{}"}, {**OTHER, "verificationMode": "none"}, {**PKI, "caData": pem("CERTIFICATE")}
    )

    assert egress.sent.verification_mode == "none"
    assert (egress.sent.ca_pem or b"").startswith(b"-----BEGIN CERTIFICATE")
    assert egress.sent.client_certificate is not None
    assert "Authorization" not in egress.sent.headers


async def test_the_text_of_the_first_answer_is_given_with_its_usage() -> None:
    egress, chat = completing(), {"messages": [{"role": "user", "content": "hi"}], "temperature": 0.5, "timeout": 1}

    result = await call(egress, "invokeAI", chat)

    assert isinstance(result, Succeeded)
    assert result.data == {"message": "hello", "usage": USAGE}
    assert result.token_usage == TokenUsage(prompt_tokens=1, completion_tokens=2, total_tokens=3)
    assert json.loads(egress.sent.body or b"") == {
        "messages": [{"role": "user", "content": "hi"}],
        "temperature": 0.5,
        "model": "gpt-4.1",
        "stream": False,
    }


async def test_an_answer_without_text_says_so() -> None:
    result = await call(completing(None), "invokeAI", {"messages": []})

    assert isinstance(result, Succeeded)
    assert result.data == {
        "message": "An error occurred sending your message. If the problem persists, please test the connector "
        "configuration.",
        "usage": USAGE,
    }


async def test_events_are_given_as_they_came_or_each_parsed() -> None:
    egress = FakeEgress(responds(200, body=EVENTS))

    whole = await call(egress, "invokeStream", {"messages": []})
    each = await call(egress, "invokeAsyncIterator", {"messages": []})

    assert isinstance(whole, Succeeded)
    assert isinstance(each, Succeeded)
    assert (whole.data, each.data) == (EVENTS.decode(), [{"a": 1}, {"b": 2}])


async def test_there_is_no_dashboard() -> None:
    assert await call(FakeEgress(), "getDashboard", {"dashboardId": "d"}) == Succeeded(data={"available": False})


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (responds(401, "No", b'{"error": {"message": "bad key"}}'),
         "Status code: 401. Message: Unauthorized API Error - bad key"),
        (responds(400, "Bad", b'{"error": "no"}'), "Status code: 400. Message: API Error: Bad - no"),
        (responds(500, "Oops"), "Status code: 500. Message: API Error: Oops"),
        (EgressFailed("gone", "ECONNRESET"),
         "Status code: undefined. Message: Unexpected API Error: ECONNRESET - gone"),
        (EgressFailed("expired", "CERT_HAS_EXPIRED"),
         ("Status code: undefined. Message: Certificate error: expired. Please check if your PKI certificates are "
         "valid or adjust SSL verification mode.")),
        (EgressFailed("mismatch", "ERR_TLS_CERT_ALTNAME_INVALID"),
         ("Status code: undefined. Message: TLS handshake failed: mismatch. Verify server certificate hostname and CA "
         "configuration.")),
        (responds(200, body=b'{"choices": []}'), ("Response validation failed (✖ Invalid input: expected object, "
         "received undefined\n  → at usage)")),
    ],
)  # fmt: skip
async def test_what_a_failure_says(answer: Any, told: str) -> None:
    result = await call(FakeEgress(answer), "run", {"body": "{}"})

    assert isinstance(result, Failed)
    assert (result.service_message, result.retry) == (told, True)


@pytest.mark.parametrize(("sub_action", "source"), [("invokeStream", "framework"), ("invokeAsyncIterator", "user")])
async def test_a_throttled_iterator_is_the_users_fault(sub_action: str, source: str) -> None:
    result = await call(FakeEgress(responds(429, "Slow")), sub_action, {"messages": []})

    assert isinstance(result, Failed)
    assert result.error_source is ErrorSource(source)


@pytest.mark.parametrize(
    ("config", "saved"),
    [(OPENAI, OPENAI), (AZURE, AZURE), (OTHER, {**OTHER, "verificationMode": "full"})],
)
def test_the_saved_config_says_what_was_given(config: dict[str, Any], saved: dict[str, Any]) -> None:
    assert registry().check(".gen-ai", config, KEY) == saved


@pytest.mark.parametrize(
    ("config", "secrets", "problem"),
    [
        ({"apiProvider": "Mine"}, KEY, ("Error configuring OpenAI action: Error: API Provider is not supported: "
         "Mine")),
        ({**OPENAI, "apiUrl": "ftp://a"}, KEY, "configuring OpenAI action: Error: URL Error: Invalid URL"),
        ({**AZURE, "verificationMode": "none"}, KEY, 'config: ✖ Unrecognized key: "verificationMode"'),
        ({**OTHER, "defaultModel": None}, KEY, ("config: ✖ Invalid input: expected string, received null\n"
         "  → at defaultModel")),
        (OPENAI, {}, "secrets: [apiKey]: expected value of type [string] but got [undefined]"),
        (OTHER, {"privateKeyData": PKI["privateKeyData"]}, "secrets: Certificate data must be provided for PKI"),
        (OTHER, {"certificateData": PKI["certificateData"]}, "secrets: Private key data must be provided for PKI"),
        (OTHER, {**PKI, "certificateData": "QUJD"}, ("secrets: Invalid certificate file format: The file must be a "
         'PEM-encoded certificate beginning with "-----BEGIN CERTIFICATE-----".')),
        (OTHER, {**PKI, "privateKeyData": "QUJD"}, ("secrets: Invalid private key file format: The file must be a "
         'PEM-encoded certificate beginning with "-----BEGIN PRIVATE KEY-----".')),
        (OPENAI, PKI, "[apiKey]: expected value of type [string] but got [undefined]"),
    ],
)  # fmt: skip
def test_what_is_not_saved(config: dict[str, Any], secrets: dict[str, Any], problem: str) -> None:
    with pytest.raises(Refused) as refused:
        registry().check(".gen-ai", config, secrets)

    assert refused.value.message.endswith(problem)


def test_only_the_body_of_run_and_test_is_rendered() -> None:
    for sub_action, body in (("run", '\\"'), ("test", '\\"'), ("stream", "{{a}}")):
        params = {"subAction": sub_action, "subActionParams": {"body": "{{a}}"}}
        assert rendered(".gen-ai", params, {"a": '"'})["subActionParams"] == {"body": body}


async def test_events_that_tell_what_was_used_are_believed() -> None:
    text = '{"a": "\u2028"}', json.dumps({"choices": [], "usage": USAGE}), "[DONE]"
    events = "".join(f"data: {each}\r\n\r\n" for each in text)

    each = await call(FakeEgress(responds(200, body=events.encode())), "invokeAsyncIterator", {"messages": []})
    silent = await call(FakeEgress(responds(200, body=EVENTS)), "invokeStream", {"messages": []})

    assert isinstance(each, Succeeded)
    assert isinstance(silent, Succeeded)
    assert each.data == [{"a": "\u2028"}, {"choices": [], "usage": USAGE}]
    assert each.token_usage == TokenUsage(prompt_tokens=1, completion_tokens=2, total_tokens=3)
    assert silent.token_usage is None


def test_numbers_of_a_config_are_saved_as_they_were_given() -> None:
    config: dict[str, Any] = {**OPENAI, "contextWindowLength": 128_000, "temperature": 0.5}

    saved = registry().check(".gen-ai", config, KEY)

    assert (str(saved["contextWindowLength"]), str(saved["temperature"])) == ("128000", "0.5")
