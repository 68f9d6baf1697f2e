"""The routes, their OpenAPI document and the page of the reference say the same, and tests have seen all of it.

The last in the order of names: what it asks of the tests of other files is asked when those have run.
"""

import ast
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from connectory.gateway.api_key_directory import ApiKeyDirectory
from connectory.gateway.open_requests import OpenRequests
from connectory.gateway.replies import ReplyInbox
from connectory.gateway.server import application
from connectory.infra.settings import Settings
from tests.documented import SEEN, Documented
from tests.http_gateway import dependencies_of, http_gateway
from tests.http_reference import PAGE, START, TESTS, page_rows, read_document, table
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


async def test_every_route_is_in_the_document_and_no_other(documented: Documented) -> None:
    installation = await Installation().create_topics()
    dependencies = dependencies_of(installation, Settings())
    inbox = ReplyInbox(installation.log, installation.messages, dependencies.chance)
    keys = ApiKeyDirectory(installation.log, installation.messages)
    async with installation.log.writer() as writer:
        open_requests = OpenRequests(installation.log, 1)
        routes = application(dependencies, inbox, writer, keys, open_requests).router.routes()

    served = {(route.method, route.resource.canonical) for route in routes if route.resource}
    bare = {each for each in served if not each[1].startswith("/s/{space_id}") and each[0] not in ("HEAD", "*")}
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
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
