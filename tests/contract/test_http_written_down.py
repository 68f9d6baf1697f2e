"""The routes, their OpenAPI document and the page of the reference say the same, and tests have seen all of it.

The last in the order of names: what it asks of the tests of other files is asked when those have run.
"""

import ast
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from aiohttp import web
from openapi_spec_validator import OpenAPIV31SpecValidator

from connectory.gateway.listening import listening
from connectory.infra.settings import HttpSettings
from tests.documented import SEEN, Documented
from tests.http_gateway import http_gateway
from tests.http_reference import PAGE, START, TESTS, page_rows, read_document, table
from tests.syntax import syntax_tree
from tests.unit.installation import Installation

GENERATE = "run: python -m tests.http_reference"


@pytest.fixture
async def documented() -> Documented:
    return await read_document()


async def test_the_document_is_one_of_openapi() -> None:
    async with http_gateway(await Installation().create_topics(), roles=False) as gateway:
        answer = await gateway.get("/api/connectory/openapi.json")

    assert answer.body["openapi"] == "3.1.0"
    assert [error.message for error in OpenAPIV31SpecValidator(answer.body).iter_errors()] == []


async def test_every_route_is_in_the_document_and_no_other(
    documented: Documented, monkeypatch: pytest.MonkeyPatch
) -> None:
    apps: list[web.Application] = []

    def seen(app: web.Application, http: HttpSettings) -> AbstractAsyncContextManager[str]:
        apps.append(app)
        return listening(app, http)

    monkeypatch.setattr("connectory.gateway.server.listening", seen)
    async with http_gateway(await Installation().create_topics(), roles=False):
        routes = [(route.method, route.resource.canonical) for route in apps[0].router.routes() if route.resource]

    bare = {each for each in routes if not each[1].startswith("/s/{space_id}") and each[0] not in ("HEAD", "*")}
    assert {(each.method, each.path) for each in documented.operations} == bare


async def test_the_page_shows_what_the_document_says(documented: Documented) -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert START + page.partition(START)[2] == table(documented, page_rows()), GENERATE


def test_every_line_of_the_page_names_a_test_that_there_is() -> None:
    there = {f"{path.name}::{name}" for path in TESTS.glob("test_http_*.py") for name in functions(path)}

    assert {row: test for row, test in page_rows().items() if test not in there} == {}, GENERATE


def test_the_tests_that_the_page_names_have_seen_what_it_says(request: pytest.FixtureRequest) -> None:
    files = {item.path.name for item in request.session.items}
    if request.config.option.keyword or any("::" in argument for argument in request.config.args):
        pytest.skip("only a part of the tests is run")

    named = {row: test for row, test in page_rows().items() if test.partition("::")[0] in files}
    assert {row: test for row, test in named.items() if row not in SEEN[test]} == {}, GENERATE


def functions(path: Path) -> set[str]:
    tree = syntax_tree(path)
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
