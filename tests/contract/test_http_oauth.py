"""OAuth over HTTP: access tokens to try values with, and the authorization-code flow that no connector uses yet."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.types import Options

from connectory.connector_types.contract import EgressFailed, OutgoingRequest, OutgoingResponse
from connectory.infra.settings import ActionsSettings, OAuthSettings, ServerSettings, Settings
from tests.http_gateway import CONNECTOR, VIEWER, XSRF, HttpGateway, http_gateway, reading_replies
from tests.unit.installation import Installation

ORIGIN = {**XSRF, "x-elastic-internal-origin": "tests"}
TOKEN = "/internal/actions/connector/_oauth_access_token"
FLOW = "/internal/actions/connector/c1"
STATUS = "/internal/actions/connectors/_me/auth_status"
CALLBACK = "/api/actions/connector/_oauth_callback"
CLIENT = {
    "tokenUrl": "https://idp.example/token",
    "scope": "mail",
    "config": {"clientId": "me"},
    "secrets": {"clientSecret": "s3cret"},
}
NO_TIMES: Options = {"verify_exp": False, "verify_iat": False}
GOOD = b'{"token_type": "Bearer", "access_token": "t0ken"}'


def settings(**groups: Any) -> Settings:
    return Settings().model_copy(update=groups)


@pytest.fixture
async def gateway() -> AsyncIterator[HttpGateway]:
    server = ServerSettings().model_copy(update={"public_base_url": "https://kibana.example/base"})
    oauth = OAuthSettings().model_copy(update={"authorize_limit": 5, "callback_limit": 2})
    actions = ActionsSettings().model_copy(update={"allowed_hosts": ("idp.example",)})
    installation = await Installation().create_topics()
    async with http_gateway(installation, settings=settings(server=server, oauth=oauth, actions=actions)) as gateway:
        await reading_replies(gateway)
        await gateway.create("c1")
        yield gateway


async def post(gateway: HttpGateway, path: str, body: Any = None, **options: Any) -> Any:
    return await gateway.call("POST", path, body, headers=ORIGIN, **options)


def says(status: int, body: bytes) -> Callable[[OutgoingRequest], Any]:
    async def answer(_: OutgoingRequest) -> OutgoingResponse:
        return OutgoingResponse(status=status, reason="", headers={}, body=body)

    return answer


def form(gateway: HttpGateway) -> dict[str, list[str]]:
    (sent,) = gateway.installation.target.calls
    return parse_qs(str(sent.body))


def pem(key: Any, passphrase: str | None = None) -> str:
    encryption = (
        serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    )
    text: bytes = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    return text.decode()


def signed(private_key: str, **secrets: str) -> dict[str, Any]:
    return {
        "tokenUrl": "https://idp.example/token",
        "config": {"clientId": "me", "jwtKeyId": "k1", "userIdentifierValue": "joe"},
        "secrets": {"clientSecret": "s3cret", "privateKey": private_key, **secrets},
    }


async def test_a_token_by_client_credentials(gateway: HttpGateway) -> None:
    gateway.installation.target.answer = says(200, GOOD)

    answer = await post(gateway, TOKEN, {"type": "client", "options": CLIENT})

    assert (answer.status, answer.body) == (200, {"accessToken": "Bearer t0ken"})
    assert form(gateway) == {
        "grant_type": ["client_credentials"], "scope": ["mail"], "client_id": ["me"], "client_secret": ["s3cret"]
    }  # fmt: skip


@pytest.mark.parametrize("passphrase", [None, "open"])
async def test_a_token_by_a_signed_assertion(gateway: HttpGateway, passphrase: str | None) -> None:
    gateway.installation.target.answer = says(200, GOOD)
    key = rsa.generate_private_key(65537, 2048)
    options = signed(pem(key, passphrase), **({"privateKeyPassword": passphrase} if passphrase else {}))

    answer = await post(gateway, TOKEN, {"type": "jwt", "options": options})

    assert (answer.status, answer.body) == (200, {"accessToken": "Bearer t0ken"})
    sent = form(gateway)
    assert sent["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assertion = sent["assertion"][0]
    # The times are those of a clock that stands still.
    claims = jwt.decode(assertion, key.public_key(), ["RS256"], audience="me", options=NO_TIMES)
    assert (claims["sub"], claims["iss"], claims["aud"]) == ("joe", "me", "me")
    assert (claims["exp"] - claims["iat"]) == 3600
    assert jwt.get_unverified_header(assertion)["kid"] == "k1"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://other/", 'target url "http://other/" is not added to the Kibana config xpack.actions.allowedHosts'),
        ("ftp://idp.example/t", "Token URL must use http or https"),
    ],
)  # fmt: skip
async def test_only_allowed_hosts_are_asked_for_tokens(gateway: HttpGateway, url: str, message: str) -> None:
    answer = await post(gateway, TOKEN, {"type": "client", "options": {**CLIENT, "tokenUrl": url}})

    assert (answer.status, answer.message) == (400, message)
    assert gateway.installation.target.calls == []


@pytest.mark.parametrize("url", ["nowhere", "https:///t", "http://[::1", "/token"])
async def test_a_token_url_has_a_hostname(url: str) -> None:
    async with http_gateway(await Installation().create_topics(), roles=False) as gateway:
        answer = await post(gateway, TOKEN, {"type": "client", "options": {**CLIENT, "tokenUrl": url}})

    assert (answer.status, answer.message) == (400, "Token URL must contain hostname")


async def refuses_to_connect(_: OutgoingRequest) -> OutgoingResponse:
    raise EgressFailed("connect ECONNREFUSED", "ECONNREFUSED")


@pytest.mark.parametrize(
    "answers", [says(401, b'{"error": "s3cret is wrong"}'), says(200, b"{}"), says(200, b"x"), refuses_to_connect]
)
async def test_no_token_is_told_in_general_words(
    gateway: HttpGateway, answers: Callable[[OutgoingRequest], Any], caplog: pytest.LogCaptureFixture
) -> None:
    gateway.installation.target.answer = answers

    answer = await post(gateway, TOKEN, {"type": "client", "options": CLIENT})

    assert (answer.status, answer.message) == (400, "Failed to retrieve access token")
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize("key", ["no key", pem(ec.generate_private_key(ec.SECP256R1()))])
async def test_a_private_key_that_is_of_no_use_gives_no_token(gateway: HttpGateway, key: str) -> None:
    answer = await post(gateway, TOKEN, {"type": "jwt", "options": signed(key)})

    assert (answer.status, answer.message) == (400, "Failed to retrieve access token")


NEITHER = (
    "[request body.type]: types that failed validation:\n- [request body.type.0]: expected value to equal [jwt]\n"
    "- [request body.type.1]: expected value to equal [client]"
)
UNDEFINED = "expected value of type [string] but got [undefined]"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"type": "basic"},
            NEITHER,
        ),
        ({"type": "client"}, f"[request body.options.tokenUrl]: {UNDEFINED}"),
        ({"type": "client", "options": {"tokenUrl": "x"}}, f"[request body.options.scope]: {UNDEFINED}"),
        (
            {"type": "client", "options": {"tokenUrl": "x", "scope": "y"}},
            f"[request body.options.config.clientId]: {UNDEFINED}",
        ),
        ({"type": "jwt", "options": {**CLIENT}}, f"[request body.options.config.jwtKeyId]: {UNDEFINED}"),
        (
            {"type": "client", "options": {**CLIENT, "x": 1}},
            "[request body.options.x]: definition for this key is missing",
        ),
    ],
)
async def test_what_a_token_is_asked_for_with(gateway: HttpGateway, body: Any, message: str) -> None:
    answer = await post(gateway, TOKEN, body, auth=VIEWER)

    assert (answer.status, answer.message) == (400, message)


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        (TOKEN, {"type": "client", "options": CLIENT}, "update actions"),
        (f"{FLOW}/_start_oauth_flow", None, "execute actions"),
        (f"{FLOW}/_oauth_disconnect", None, "execute actions"),
        (f"{FLOW}/_oauth_cancel", {"state": "x"}, "execute actions"),
        (STATUS, None, "execute actions"),
    ],
)
async def test_who_may_not_is_told_what_it_was_for(gateway: HttpGateway, path: str, body: Any, words: str) -> None:
    answer = await post(gateway, path, body, auth=VIEWER)

    assert (answer.status, answer.message) == (403, f"Unauthorized to {words}")


async def test_a_flow_needs_to_know_where_users_reach_the_gateway() -> None:
    async with http_gateway(await Installation().create_topics(), roles=False) as gateway:
        answer = await post(gateway, f"{FLOW}/_start_oauth_flow")

    assert (answer.status, answer.message) == (400, "server.publicBaseUrl is not configured.")


@pytest.mark.parametrize(
    ("connector_id", "return_url", "status", "message"),
    [
        ("c1", None, 400, "Connector does not use OAuth Authorization Code flow"),
        ("c1", "https://kibana.example:443/app", 400, "Connector does not use OAuth Authorization Code flow"),
        ("c1", "https://elsewhere.example/", 400, "returnUrl must use http or https, and have the same origin"),
        ("c1", "javascript:alert(1)", 400, "returnUrl must use http or https, and have the same origin"),
        ("c1", "https://kibana.example:x", 400, "returnUrl must use http or https, and have the same origin"),
        ("c2", None, 404, "Saved object [action/c2] not found"),
    ],
)
async def test_no_connector_can_be_authorized_by_its_users_yet(
    gateway: HttpGateway, connector_id: str, return_url: str | None, status: int, message: str
) -> None:
    body = {"returnUrl": return_url} if return_url else None

    answer = await post(gateway, f"/internal/actions/connector/{connector_id}/_start_oauth_flow", body)

    assert answer.status == status
    assert answer.message.startswith(message)


async def test_starts_of_a_flow_are_limited(gateway: HttpGateway) -> None:
    statuses = [(await post(gateway, f"{FLOW}/_start_oauth_flow")).status for _ in range(7)]

    answer = await post(gateway, f"{FLOW}/_start_oauth_flow")
    assert statuses == [400] * 5 + [429] * 2
    assert answer.message == "Too many authorization attempts. Please try again later."
    assert answer.body["error"] == "Too Many Requests"


async def test_who_returns_from_a_flow_that_is_not_known_is_shown_a_page(gateway: HttpGateway) -> None:
    answer = await gateway.get(f"{CALLBACK}?error=denied&error_description=<script>&state=x")

    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"denied: &lt;script&gt;" in answer.raw


async def test_returns_from_a_flow_are_limited(gateway: HttpGateway) -> None:
    assert [(await gateway.get(CALLBACK)).status for _ in range(3)] == [200, 200, 429]


async def test_giving_up_and_disconnecting_change_nothing_where_there_is_nothing(gateway: HttpGateway) -> None:
    assert (await post(gateway, f"{FLOW}/_oauth_cancel", {"state": "x"})).status == 204
    assert (await post(gateway, f"{FLOW}/_oauth_disconnect")).status == 204
    assert (await post(gateway, "/internal/actions/connector/c2/_oauth_disconnect")).status == 404


async def test_no_connector_is_one_that_its_users_authorize(gateway: HttpGateway) -> None:
    answer = await post(gateway, STATUS)

    assert answer.body == {"c1": {"user_auth_status": "not_applicable"}}


async def test_the_callback_is_no_connector(gateway: HttpGateway) -> None:
    assert (await gateway.get(f"{CONNECTOR}/_oauth_callback")).headers["Content-Type"].startswith("text/html")
