"""The rules of the edge that depend on a route alone: internal ones, exempt ones, forms, and which path wins."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, FormData, web

from connectory.gateway.api_key_directory import ApiKeyDirectory
from connectory.gateway.authentication import ByCredentials
from connectory.gateway.contract import FORM, Contract
from connectory.gateway.listening import listening
from connectory.gateway.outgoing import answer
from connectory.gateway.routing import Call, Edge, Route
from connectory.infra.clock import utc_now
from connectory.infra.in_memory_log import InMemoryLog
from connectory.infra.messages import Messages
from connectory.infra.settings import HttpSettings, ServerSettings
from tests.http_gateway import XSRF, HttpCaller, Users

ORIGIN = {"x-elastic-internal-origin": "tests"}
INTERNAL = "/internal/things"
UNAVAILABLE = "exists but is not available with the current configuration"


async def shown(call: Call) -> web.Response:
    """The handler that matched, and what it was given."""
    parts = {name: [part.filename, part.content.decode()] for name, part in call.form.items()}
    return answer({"id": call.request.match_info.get("id"), "query": call.query, "form": parts})


def routes() -> tuple[Route, ...]:
    form = Contract(summary="", answers=(), body_type=FORM)
    return (
        Route("GET", "/internal/things/{id:[^/]+}", shown),
        Route("GET", "/internal/things", shown),
        Route("POST", "/internal/things", shown),
        Route("GET", "/api/things/{id:[^/]+}", shown),
        Route("GET", "/api/things/_fixed", shown),
        Route("POST", "/api/things/_import", shown, contract=form, largest_body=5000),
        Route("POST", "/.things/_search", shown),
    )


@asynccontextmanager
async def edge(**changes: object) -> AsyncIterator[HttpCaller]:
    server = ServerSettings().model_copy(update={"max_payload": 1000, **changes})
    app = Edge(server, ByCredentials(Users(), ApiKeyDirectory(InMemoryLog(), Messages()), utc_now)).application(
        routes()
    )
    async with listening(app, HttpSettings(port=0)) as url, ClientSession() as session:
        yield HttpCaller(url + server.base_path, session)


@pytest.fixture
async def caller() -> AsyncIterator[HttpCaller]:
    async with edge() as caller:
        yield caller


@pytest.mark.parametrize("path", [INTERNAL, f"/s/red{INTERNAL}", f"{INTERNAL}?page=1"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_internal_route_is_for_callers_that_say_they_are(caller: HttpCaller, method: str, path: str) -> None:
    answer = await caller.call(method, path)

    text = f"uri [{INTERNAL}] with method [{method.lower()}] {UNAVAILABLE}"
    assert answer.body == {"statusCode": 400, "error": "Bad Request", "message": text}


async def test_the_text_has_the_path_as_it_was_sent() -> None:
    async with edge(base_path="/kibana") as caller:
        answer = await caller.get("/s/red/internal/things/a%20b")

    assert answer.message == f"uri [/internal/things/a%20b] with method [get] {UNAVAILABLE}"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (INTERNAL, ORIGIN),
        (INTERNAL, {"x-elastic-internal-origin": ""}),
        (f"{INTERNAL}?elasticInternalOrigin=me", {}),
        (f"{INTERNAL}?elasticInternalOrigin", {}),
    ],
)
async def test_who_is_internal_may_say_so_in_a_header_or_in_the_query(
    caller: HttpCaller, path: str, headers: dict[str, str]
) -> None:
    answer = await caller.get(path, headers=headers)

    assert (answer.status, answer.body["query"]) == (200, {})


async def test_internal_routes_can_be_open_to_all() -> None:
    async with edge(restrict_internal_apis=False) as caller:
        assert (await caller.get(INTERNAL)).status == 200


async def test_an_internal_route_neither_names_the_public_version_nor_how_to_log_in(caller: HttpCaller) -> None:
    answer = await caller.get(INTERNAL, auth=None, headers=ORIGIN)

    assert answer.status == 401
    assert "elastic-api-version" not in answer.headers
    assert "WWW-Authenticate" not in answer.headers
    assert answer.headers["kbn-name"]


@pytest.mark.parametrize("version", ["2023-10-31", "1", "nonsense"])
async def test_the_version_that_a_client_asks_for_makes_no_difference(caller: HttpCaller, version: str) -> None:
    answer = await caller.get("/api/things/a", headers={"elastic-api-version": version})

    assert (answer.status, answer.headers["elastic-api-version"]) == (200, "2023-10-31")


async def test_the_xsrf_header_comes_before_the_internal_origin(caller: HttpCaller) -> None:
    assert (await caller.call("POST", INTERNAL, headers={})).message == "Request must contain a kbn-xsrf header."


async def test_below_neither_api_nor_internal_no_xsrf_header_is_needed(caller: HttpCaller) -> None:
    assert (await caller.call("POST", "/.things/_search", headers={})).status == 200


async def test_requests_of_an_exempt_scheme_need_no_xsrf_header() -> None:
    async with edge(xsrf_allowed_schemes=("basic",)) as caller:
        assert (await caller.call("POST", INTERNAL, headers=ORIGIN)).status == 200


@pytest.mark.parametrize("space", ["", "/s/red"])
@pytest.mark.parametrize(("name", "matched"), [("_fixed", None), ("_other", "_other")])
async def test_a_fixed_path_wins_over_a_parameter(
    caller: HttpCaller, space: str, name: str, matched: str | None
) -> None:
    assert (await caller.get(f"{space}/api/things/{name}")).body["id"] == matched


async def test_a_form_is_read_with_its_own_limit(caller: HttpCaller) -> None:
    form = FormData({"retries": "[]"})
    form.add_field("file", b"x" * 2000, filename="a.ndjson")

    answer = await caller.call("POST", "/api/things/_import", data=form)

    assert answer.body["form"] == {"retries": [None, "[]"], "file": ["a.ndjson", "x" * 2000]}


@pytest.mark.parametrize(
    ("data", "content_type", "status", "message"),
    [
        (b"x" * 6000, "multipart/form-data; boundary=b", 413, "Payload content length greater than maximum allowed: 5"),
        (b"{}", "application/json", 415, "Unsupported Media Type"),
        (b"{}", "multipart/form-data", 400, "Invalid multipart payload format"),
        (b"{}", "multipart/form-data; boundary=b", 400, "Invalid multipart payload format"),
        (b"--b\r\n\r\nno name\r\n--b--", "multipart/form-data; boundary=b", 400, "Invalid multipart payload format"),
        (b"--b\r\nContent-", "multipart/form-data; boundary=b", 400, "Invalid multipart payload format"),
        (b"--b\r\n" + b"a: 1\r\n" * 500 + b"\r\n", "multipart/form-data; boundary=b", 400, "Invalid multipart payload"),
        (b"", "application/json", 200, ""),
    ],
)  # fmt: skip
async def test_what_is_no_form_is_refused(
    caller: HttpCaller, data: bytes, content_type: str, status: int, message: str
) -> None:
    answer = await caller.call("POST", "/api/things/_import", data=data, headers={**XSRF, "Content-Type": content_type})

    assert answer.status == status
    assert status == 200 or answer.message.startswith(message)


async def test_a_form_that_announces_no_length_is_cut_off_too(caller: HttpCaller) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(1000):
            yield b" " * 1000

    headers = {**XSRF, "Content-Type": "multipart/form-data; boundary=b"}
    answer = await caller.call("POST", "/api/things/_import", data=endless(), headers=headers)

    assert (answer.status, answer.body["error"]) == (413, "Request Entity Too Large")
