"""What every route checks before its handler, and in which order."""

import gzip
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectory.infra.settings import ServerSettings, Settings
from tests.http_gateway import ADMIN, CONNECTOR, HOOK, XSRF, HttpGateway, basic, http_gateway, reading_replies
from tests.unit.installation import Installation

LIMIT = 2000
JSON = {"Content-Type": "application/json"}
NOT_FOUND = {"statusCode": 404, "error": "Not Found", "message": "Not Found"}
OUTDATED = (
    'Browser client is out of date, please refresh the page ("kbn-version" header was "9.0.0" but should be "9.3.0")'
)


@pytest.fixture
async def gateway() -> AsyncIterator[HttpGateway]:
    server = ServerSettings().model_copy(update={"name": "gate", "max_payload": LIMIT})
    settings = Settings().model_copy(update={"server": server})
    async with http_gateway(await Installation().create_topics(), settings=settings) as gateway:
        await reading_replies(gateway)
        yield gateway


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/fleet/agent_download_sources"),
        ("POST", "/api/fleet/enrollment_api_keys"),
        ("GET", "/s/red/api/fleet/agent_policies"),
        ("POST", "/api/actions/action"),
        ("GET", "/api/actions/action/c1"),
        ("PUT", "/api/actions/action/c1"),
        ("DELETE", "/api/actions/action/c1"),
        ("POST", "/api/actions/action/c1/_execute"),
        ("POST", "/internal/actions/connector/c1/_rotate_ingress"),
        ("GET", "/api/security/role/admin"),
        ("GET", "/api/alerting/rules/_find"),
        ("GET", "/api/actions"),
        ("GET", "/api/actions/list_action_types"),
        ("GET", "/api/actions/connector"),
        ("PATCH", f"{CONNECTOR}/c1"),
        ("OPTIONS", f"{CONNECTOR}/c1"),
        ("POST", f"{CONNECTOR}/c1/"),
        ("GET", "/API/actions/connectors"),
        ("GET", "/s/Red/api/actions/connectors"),
        ("GET", "/s/red/subjects"),
        ("GET", "/"),
        ("GET", "/a%0Ab"),
    ],
)
async def test_unknown_paths_and_methods_are_404_without_a_login(gateway: HttpGateway, method: str, path: str) -> None:
    answer = await gateway.call(method, path, auth=None, headers={})

    assert (answer.status, answer.body) == (404, NOT_FOUND)
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "Basic",
        "Basic !!!",
        "Basic ä",
        "Basic YWRtaW4=",
        basic("admin", "wrong"),
        basic("", ""),
        "Bearer token",
        "ApiKey a2V5",
        "Digest x",
    ],
)
async def test_no_or_wrong_credentials_are_401_with_a_challenge(
    gateway: HttpGateway, authorization: str | None
) -> None:
    headers = {**XSRF, **({"Authorization": authorization} if authorization else {})}

    answer = await gateway.call("GET", f"{CONNECTOR}/c1", auth=None, headers=headers)

    assert answer.body == {"statusCode": 401, "error": "Unauthorized", "message": "Unauthorized"}
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="security", charset="UTF-8"'


async def test_with_security_off_every_caller_may_do_everything() -> None:
    async with http_gateway(await Installation().create_topics(), secure=False) as gateway:
        answer = await gateway.get("/api/actions/connectors", auth=None)

    assert (answer.status, answer.body) == (200, [])


@pytest.mark.parametrize(
    ("data", "headers", "status", "message"),
    [
        (b"x" * (LIMIT + 1), XSRF, 413, f"Payload content length greater than maximum allowed: {LIMIT}"),
        (b"{}", {**XSRF, "Content-Type": "text/plain"}, 415, "Unsupported Media Type"),
        (b"a=b", {**XSRF, "Content-Type": "application/x-www-form-urlencoded"}, 415, "Unsupported Media Type"),
        (b"{", {**XSRF, **JSON}, 400, "Invalid request payload JSON format"),
        (b"\xff", {**XSRF, **JSON}, 400, "Invalid request payload JSON format"),
        (b'{"name": NaN}', {**XSRF, **JSON}, 400, "Invalid request payload JSON format"),
        (b'{"name": 1e999}', {**XSRF, **JSON}, 400, "Invalid request payload JSON format"),
        (b'{"name": "\\ud800"}', {**XSRF, **JSON}, 400, "Invalid request payload JSON format"),
        (b'{"a":' * 300, {**XSRF, **JSON}, 400, "Invalid request payload JSON format"),
        (b"[" * 150 + b"]" * 150, {**XSRF, **JSON}, 400, "Invalid request payload JSON format"),
        (b"{", JSON, 400, "Invalid request payload JSON format"),
        (b"{}", JSON, 400, "Request must contain a kbn-xsrf header."),
        (b"{}", {**JSON, "kbn-version": "9.0.0"}, 400, OUTDATED),
        (b"{}", {**JSON, "kbn-version": "9.3.0"}, 400, "[request body.name]: expected value of type [string] but got"),
        (b"{}", {**XSRF, **JSON, "Content-Type": "application/json; charset=UTF-8"}, 400, "[request body.name]: "),
    ],
)
async def test_the_checks_of_a_body_in_their_order(
    gateway: HttpGateway, data: bytes, headers: dict[str, str], status: int, message: str
) -> None:
    answer = await gateway.call("POST", CONNECTOR, data=data, headers=headers)

    assert answer.status == status
    assert answer.message.startswith(message)


async def test_a_body_that_announces_no_length_is_cut_off_too(gateway: HttpGateway) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1000

    answer = await gateway.call("POST", CONNECTOR, data=endless(), headers={**XSRF, **JSON})

    assert (answer.status, answer.body["error"]) == (413, "Request Entity Too Large")


async def test_a_compressed_body_is_measured_as_it_comes_out(gateway: HttpGateway) -> None:
    bomb = gzip.compress(b" " * 1_000_000)

    headers = {**XSRF, **JSON, "Content-Encoding": "gzip"}
    answer = await gateway.call("POST", CONNECTOR, data=bomb, headers=headers)

    assert answer.status == 413


async def test_a_compressed_body_that_is_none_is_a_400_and_no_error_in_the_log(
    gateway: HttpGateway, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {**XSRF, **JSON, "Content-Encoding": "gzip"}
    with caplog.at_level(logging.WARNING):
        answer = await gateway.call("POST", CONNECTOR, data=b"{}", headers=headers)
        await gateway.get("/api/status")

    assert (answer.status, answer.message) == (400, "Invalid request payload JSON format")
    assert caplog.records == []


async def test_credentials_are_checked_before_the_body(gateway: HttpGateway) -> None:
    answer = await gateway.call("POST", CONNECTOR, data=b"{", headers=JSON, auth=None)

    assert answer.status == 401


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
async def test_every_change_needs_the_xsrf_header(gateway: HttpGateway, method: str) -> None:
    answer = await gateway.call(method, f"/s/red{CONNECTOR}/c1", headers={})

    assert (answer.status, answer.message) == (400, "Request must contain a kbn-xsrf header.")


async def test_an_outdated_browser_is_told_both_versions(gateway: HttpGateway) -> None:
    answer = await gateway.get("/api/actions/connectors", headers={"kbn-version": "9.0.0"})

    assert (answer.status, answer.message) == (400, OUTDATED)
    assert answer.body["attributes"] == {"expected": "9.3.0", "got": "9.0.0"}


@pytest.mark.parametrize("path", ["/api/actions/connectors", f"{CONNECTOR}/c1", "/s/red/api/actions/connectors?x=1"])
async def test_public_routes_name_their_version_and_the_server(gateway: HttpGateway, path: str) -> None:
    answer = await gateway.get(path)

    assert (answer.headers["elastic-api-version"], answer.headers["kbn-name"]) == ("2023-10-31", "gate")


async def test_a_head_is_a_get_without_its_body(gateway: HttpGateway) -> None:
    answer = await gateway.call("HEAD", "/api/actions/connectors", headers={})

    assert (answer.status, answer.raw) == (200, b"")


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip, deflate, br", "gzip"), ("identity", None), ("deflate", None), ("gzip;q=0", None), ("*", "gzip")],
)
async def test_long_answers_are_gzipped_for_those_who_accept_it(
    gateway: HttpGateway, accepted: str, encoding: str | None
) -> None:
    for number in range(4):
        await gateway.create(f"c{number}")

    answer = await gateway.get("/api/actions/connectors", headers={"Accept-Encoding": accepted})

    assert answer.headers.get("Content-Encoding") == encoding
    assert len(answer.body) == 4


async def test_a_base_path_stands_before_everything() -> None:
    server = ServerSettings().model_copy(update={"base_path": "/kibana"})
    settings = Settings().model_copy(update={"server": server})
    async with http_gateway(await Installation().create_topics(), settings=settings) as gateway:
        assert gateway.url.endswith("/kibana")
        assert (await gateway.get("/s/red/api/actions/connectors")).status == 200
        assert (await gateway.call("POST", CONNECTOR, {}, headers={})).message.endswith("kbn-xsrf header.")


async def test_a_defect_is_a_500_whose_cause_is_in_the_log_only(
    gateway: HttpGateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("the cause")

    monkeypatch.setattr(gateway.read_models, "get", broken)
    with caplog.at_level(logging.ERROR):
        answer = await gateway.get(f"{CONNECTOR}/c1")

    text = "An internal server error occurred. Check Kibana server logs for details."
    assert answer.body == {"statusCode": 500, "error": "Internal Server Error", "message": text}
    assert "the cause" in caplog.text


async def test_a_password_is_in_no_log(gateway: HttpGateway, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await gateway.create("c1", config={**HOOK["config"], "extra": 1}, secrets={"password": "s3cret-word"})
        await gateway.get("/api/actions/connectors", auth=basic("admin", "s3cret-word"))
        await gateway.get("/api/actions/connectors", auth=ADMIN)

    assert "s3cret-word" not in caplog.text
