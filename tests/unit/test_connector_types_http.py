"""`.http`: what may be saved, what is sent, and what each answer means."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectory.connector_types.contract import (
    AccessTokens,
    EgressFailed,
    OutgoingRequest,
    OutgoingResponse,
    Surroundings,
    TypeSettings,
)
from connectory.connector_types.http_answers import said
from connectory.connector_types.registry import TypeRegistry
from connectory.domain.errors import Refused
from connectory.domain.execution import Failed, Result, Succeeded
from connectory.domain.json_types import Json, JsonObject
from connectory.infra.egress import AllowedHosts
from tests.connector_runs import run_action
from tests.connector_types import rendered
from tests.fakes.egress import FakeEgress, responds
from tests.fakes.server_log import RecordingServerLog

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
URL = "https://target.test/api"
types = TypeRegistry(settings=TypeSettings(hosts=AllowedHosts(["target.test"])))


async def run(
    params: dict[str, Any],
    egress: FakeEgress,
    config: dict[str, Any] | None = None,
    secrets: dict[str, Any] | None = None,
) -> Result:
    config = {"url": URL, **(config or {})}
    return await run_action(types, ".http", params, config=config, secrets=secrets, egress=egress, now=lambda: NOW)


async def sent(
    params: dict[str, Any], config: dict[str, Any] | None = None, secrets: dict[str, Any] | None = None
) -> OutgoingRequest:
    egress = FakeEgress()
    await run(params, egress, config, secrets)
    return egress.sent


async def run_system(params: dict[str, Any], egress: FakeEgress) -> Result:
    """Run through the connector `system-connector-.http`."""
    prepared = types.prepare_in_memory(".http", {}, {}, is_system=True)
    return await types.execute(
        prepared,
        types.parse_params(prepared.type, params),
        connector_id="system-connector-.http",
        connector_name="HTTP",
        idempotency_key="request-1",
        source=None,
        surroundings=Surroundings(egress=egress, server_log=RecordingServerLog(), now=lambda: NOW),
    )


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({}, "✖ Invalid input: expected string, received undefined\n  → at url"),
        ({"url": "nowhere"}, "✖ Invalid URL\n  → at url"),
        (
            {"url": "https://other.test"},
            (
                'error validation http action config: target url "https://other.test" is not added to the Kibana '
                "config xpack.actions.allowedHosts"
            ),
        ),
        (
            {"url": URL, "hasAuth": False, "authType": "http-authentication-query-param"},
            "error validation http action config: authType must be null or undefined if hasAuth is false",
        ),
    ],
)
def test_a_config_that_breaks_a_rule_is_refused(config: dict[str, Any], problem: str) -> None:
    with pytest.raises(Refused) as caught:
        types.check(".http", config, {})

    assert caught.value.message == f"error validating connector type config: {problem}"


@pytest.mark.parametrize(
    ("base", "params", "url"),
    [
        (URL, {}, URL),
        (URL, {"url": "https://elsewhere.test"}, URL),
        (f"{URL}/", {"path": "/a"}, f"{URL}/a"),
        (URL, {"path": "a/b"}, f"{URL}/a/b"),
        (f"{URL}?k=v#f", {"path": "a", "query": {"q": "x y", "r": "&"}}, f"{URL}/a?k=v&q=x+y&r=%26"),
    ],
)
async def test_url_path_and_query_are_put_together(base: str, params: dict[str, Any], url: str) -> None:
    assert (await sent(params, {"url": base})).url == url


async def test_secret_query_parameters_go_with_their_kind_of_authentication_only() -> None:
    secrets = {"secretQueryParams": {"key": "hidden"}}

    with_them = await sent({"query": {"a": "b"}}, {"authType": "http-authentication-query-param"}, secrets)

    assert with_them.url == f"{URL}?a=b&key=hidden"
    assert (await sent({}, {}, secrets)).url == URL


async def test_headers_of_params_count_before_those_of_the_connector_and_secret_ones_before_both() -> None:
    request = await sent(
        {"headers": {"x-a": "params", "x-b": "params", "Authorization": "params"}},
        {"headers": {"X-A": "config", "X-C": "config"}},
        {"user": "u", "password": "p", "secretHeaders": {"X-B": "secret"}},
    )

    assert request.headers == {"x-a": "params", "X-B": "secret", "X-C": "config", "Authorization": "Basic dTpw"}


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("DELETE", "x"), ("POST", "{}")])
async def test_method_and_body_are_those_of_the_params(method: str, body: str | None) -> None:
    params = {"method": method} if body is None else {"method": method, "body": body}

    request = await sent(params)

    assert (request.method, request.body) == (method, body and body.encode())


@pytest.mark.parametrize(
    ("fetcher", "fields"),
    [
        ({}, ("certificate", None)),
        ({"skip_ssl_verification": True}, ("none", None)),
        ({"follow_redirects": False, "max_redirects": 5}, ("certificate", 0)),
        ({"follow_redirects": True, "max_redirects": 5}, ("certificate", 5)),
    ],
)
async def test_params_say_how_the_call_is_made(fetcher: dict[str, Any], fields: tuple[str, int | None]) -> None:
    request = await sent({"fetcher": fetcher, "timeout": 1500}, {"verificationMode": "certificate"})

    assert (request.verification_mode, request.max_redirects, request.timeout_ms) == (*fields, 1500)


async def test_a_target_can_tell_repeats_where_a_repeat_would_do_harm() -> None:
    assert (await sent({"method": "POST"})).headers == {"Idempotency-Key": "request-1"}
    assert (await sent({"method": "PUT", "headers": {"idempotency-key": "mine"}})).headers == {
        "idempotency-key": "mine"
    }
    assert (await sent({"method": "GET"})).headers == {}


async def test_a_connection_that_is_not_to_be_kept_is_closed() -> None:
    assert (await sent({"fetcher": {"keep_alive": False}})).headers == {"Connection": "close"}


@pytest.mark.parametrize(("body", "data"), [(b'{"a":[1]}', {"a": [1]}), (b"text", "text"), (b"", "")])
async def test_success_answers_with_the_answer(body: bytes, data: Json) -> None:
    result = await run({}, FakeEgress(responds(201, "Created", body, {"X-A": "1"})))

    answer: JsonObject = {"status": 201, "statusText": "Created", "headers": {"x-a": "1"}, "data": data}
    assert result == Succeeded(data=answer)


@pytest.mark.parametrize(
    ("answer", "message", "service_message"),
    [
        (responds(500, "Down", b'{"title":"T"}'), "error calling http, retry later", "[500] Down: T"),
        (
            responds(404, "No", b"<p>not here</p>"),
            "error calling http, invalid response",
            "[404] No: not here",
        ),
        (responds(302, "Found"), "error calling http, invalid response", "[302] Found"),
        (EgressFailed("gone", "ECONNRESET"), "error calling http, request failed", "[ECONNRESET] gone"),
    ],
)
async def test_failures_are_worded_like_those_of_webhooks(
    answer: OutgoingResponse | EgressFailed, message: str, service_message: str
) -> None:
    result = await run({}, FakeEgress(answer))

    assert isinstance(result, Failed)
    assert (result.message, result.service_message) == (message, service_message)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"detail": "d", "title": "t"}, "d"),
        ({"error_description": "ed", "error": "e"}, "ed"),
        ({"error": "e", "message": "m"}, "e"),
        ({"message": "m", "reason": "r"}, "m"),
        ({"reason": "r", "description": "d"}, "r"),
        ({"Message": "M"}, "M"),
        ({"error": {"reason": "er", "msg": "em"}}, "er"),
        ({"errors": ["a", {"message": "b"}, {"x": 1}]}, 'a; b; {"x":1}'),
        ({"errors": [str(number) for number in range(20)]}, "; ".join(map(str, range(15)))),
        ({"message": {"a": 1}}, '{"a":1}'),
        ({"other": 1}, '{"other":1}'),
        ({"detail": "<b>bold</b> x"}, "bold x"),
        ({"detail": "x" * 3000}, "x" * 2048),
        ("", None),
    ],
)
def test_the_words_of_a_refusal_are_found_wherever_they_are(answer: object, words: str | None) -> None:
    assert said(json.dumps(answer).encode()) == words


async def test_the_system_connector_goes_where_its_params_say() -> None:
    egress = FakeEgress()

    assert isinstance(await run_system({"url": "https://anywhere.test", "path": "x"}, egress), Succeeded)
    assert egress.sent.url == "https://anywhere.test/x"


async def test_without_any_url_nothing_is_called() -> None:
    egress = FakeEgress()

    result = await run_system({}, egress)

    assert isinstance(result, Failed)
    assert (result.message, result.service_message) == ("error calling http, request failed", "URL is required")
    assert egress.requests == []


def test_what_goes_into_the_request_is_rendered_and_escaped_for_json() -> None:
    params: JsonObject = {
        "method": "{{m}}",
        "body": '{"a":"{{q}}"}',
        "query": {"{{q}}": "{{q}}"},
        "headers": {"X": "{{q}}"},
    }

    filled_in = rendered(".http", params, {"q": 'a"b', "m": "no"})

    quoted = 'a\\"b'
    assert filled_in == {
        "method": "{{m}}",
        "body": f'{{"a":"{quoted}"}}',
        "query": {"{{q}}": quoted},
        "headers": {"X": quoted},
    }


async def test_an_access_token_is_sent() -> None:
    tokens = AccessTokens()
    answer = responds(200, "OK", b'{"token_type":"Bearer","access_token":"t","expires_in":60}')
    config = {
        "url": URL,
        "authType": "webhook-oauth2-client-credentials",
        "accessTokenUrl": "https://target.test/token",
        "clientId": "me",
    }

    egress = FakeEgress(answer)
    await run_action(
        types, ".http", {}, config=config, secrets={"clientSecret": "s"}, egress=egress, tokens=tokens, now=lambda: NOW
    )

    assert egress.requests[-1].headers["Authorization"] == "Bearer t"
