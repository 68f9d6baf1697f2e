"""Imports over HTTP that are refused: what is no file of connectors, what does not go together, and who may not."""

from collections.abc import AsyncIterator

import pytest

from connectory.infra.settings import Settings
from tests.http_gateway import VIEWER, XSRF, HttpGateway, http_gateway, reading_replies
from tests.saved_objects import IMPORT, RESOLVE, fields, form, import_, log, ndjson
from tests.unit.installation import Installation


@pytest.fixture
async def gateway() -> AsyncIterator[HttpGateway]:
    async with http_gateway(await Installation().create_topics()) as gateway:
        await reading_replies(gateway)
        yield gateway


def with_limits(**limits: int) -> Settings:
    settings = Settings()
    return settings.model_copy(update={"saved_objects": settings.saved_objects.model_copy(update=limits)})


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("?overwrite=true&createNewCopies=true", "cannot use [overwrite] with [createNewCopies]"),
        ("?createNewCopies=true&compatibilityMode=true", "cannot use [createNewCopies] with [compatibilityMode]"),
        ("?overwrite=yes", "[request query.overwrite]: expected value of type [boolean] but got [string]"),
        ("?x=1", "[request query.x]: definition for this key is missing"),
    ],
)
async def test_queries_that_are_refused(gateway: HttpGateway, query: str, message: str) -> None:
    answer = await import_(gateway, log(), query=query, auth=VIEWER)

    assert (answer.status, answer.message) == (400, message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (ndjson(log("a"), log("b"), log("c"), log("d")), "Can't import more than 3 objects"),
        (
            ndjson(log("a"), log("b"), log("a")),
            "Non-unique import objects detected: [action:a]",
        ),
        (ndjson(log("a", references=[{"type": "action"}])), "Error fetching references for imported objects"),
        (ndjson(log("a")) + b"\n{", "Invalid file content: line 2 is not JSON"),
        (b"[]", "Invalid file content: line 1 is no JSON object"),
        (b'{"type": "action"}', "Invalid file content: line 1 has no [id], a string that is not empty"),
    ],
)
async def test_files_that_are_refused(content: bytes, message: str) -> None:
    settings = with_limits(max_import_export_size=3)
    async with http_gateway(await Installation().create_topics(), settings=settings, roles=False) as gateway:
        answers = [
            await gateway.call("POST", IMPORT, data=form(content), auth=VIEWER),
            await gateway.call("POST", RESOLVE, data=form(content, retries=[]), auth=VIEWER),
        ]

    assert [(answer.status, answer.message) for answer in answers] == [(400, message)] * 2


@pytest.mark.parametrize(
    ("filename", "extension"), [("export.JSON", ".json"), ("export", ""), ("a.ndjson.gz", ".gz"), (".ndjson", "")]
)
async def test_the_name_of_a_file_must_end_in_ndjson(gateway: HttpGateway, filename: str, extension: str) -> None:
    refused = [
        await gateway.call("POST", IMPORT, data=form(ndjson(log()), filename)),
        await gateway.call("POST", RESOLVE, data=form(ndjson(log()), filename, retries=[])),
    ]
    taken = await gateway.call("POST", IMPORT, data=form(ndjson(log()), "Export.NDJSON"))

    expected = (400, f"Invalid file extension {extension}")
    assert [(answer.status, answer.message) for answer in refused] == [expected] * 2
    assert taken.status == 200


async def test_a_form_without_a_file_is_refused(gateway: HttpGateway) -> None:
    texts = [
        (await gateway.call("POST", IMPORT, data=parts)).message
        for parts in (fields(other="x"), fields(file="text"), form(b"", retries=[]))
    ]

    assert texts == [
        "[request body.file]: expected value of type [Stream] but got [undefined]",
        "[request body.file]: expected value of type [Stream] but got [string]",
        "[request body.retries]: definition for this key is missing",
    ]


async def test_a_form_that_is_broken_off_is_refused(gateway: HttpGateway) -> None:
    headers = {**XSRF, "Content-Type": "multipart/form-data; boundary=b"}

    answer = await gateway.call("POST", IMPORT, data=b"--b\r\nContent-Disposition: form-data", headers=headers)

    assert (answer.status, answer.message) == (400, "Invalid multipart payload format")


async def test_only_a_form_is_taken_and_only_up_to_its_limit() -> None:
    settings = with_limits(max_import_payload_bytes=2000)
    async with http_gateway(await Installation().create_topics(), settings=settings, roles=False) as gateway:
        json_body = await gateway.call("POST", IMPORT, {"file": "x"})
        large = await gateway.call("POST", IMPORT, data=form(b"x" * 2000))

    assert (json_body.status, json_body.message) == (415, "Unsupported Media Type")
    assert (large.status, large.message) == (413, "Payload content length greater than maximum allowed: 2000")


async def test_an_import_needs_the_privilege_to_create(gateway: HttpGateway) -> None:
    answer = await import_(gateway, log(), auth=VIEWER)

    assert (answer.status, answer.message) == (403, "Unable to bulk_create action")
    assert gateway.installation.states() == {}
