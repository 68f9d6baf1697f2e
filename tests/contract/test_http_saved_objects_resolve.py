"""The second try of an import: the caller says for each object where it is to go."""

import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.http_gateway import CONNECTOR, VIEWER, HttpGateway, http_gateway, reading_replies
from tests.saved_objects import RESOLVE, failure, fields, form, import_, line, log, ndjson, resolve, result, success
from tests.unit.installation import Installation

BLUE = "/s/blue"
CONFLICT = {"type": "conflict"}


@pytest.fixture
async def gateway() -> AsyncIterator[HttpGateway]:
    async with http_gateway(await Installation().create_topics()) as gateway:
        await reading_replies(gateway)
        await gateway.create("c1", name="there")
        yield gateway


def retry(connector_id: str = "c1", **wishes: Any) -> dict[str, Any]:
    return {"type": "action", "id": connector_id, **wishes}


async def names(gateway: HttpGateway, space: str = "") -> dict[str, str]:
    connectors = (await gateway.get(f"{space}/api/actions/connectors")).body
    return {each["id"]: each["name"] for each in connectors}


async def test_only_what_a_retry_names_is_tried_again(gateway: HttpGateway) -> None:
    answer = await resolve(gateway, [retry("c2")], line("c1"), log("c2"), log("c3"))

    assert (answer.status, answer.body) == (200, result(success("c2")))
    assert await names(gateway) == {"c1": "there", "c2": "hook"}


async def test_no_retries_import_nothing(gateway: HttpGateway) -> None:
    assert (await resolve(gateway, [], line("c1"))).body == result()


async def test_a_retry_can_overwrite_what_is_there(gateway: HttpGateway) -> None:
    answer = await resolve(gateway, [retry("c2"), retry("c1", overwrite=True)], log("c2"), log("c1"))

    assert answer.body == result(success("c1", overwrite=True), success("c2"))
    assert await names(gateway) == {"c1": "hook", "c2": "hook"}


async def test_a_retry_that_does_not_overwrite_is_a_conflict_again(gateway: HttpGateway) -> None:
    answer = await resolve(gateway, [retry("c1"), retry("c2", overwrite=True)], log("c1"), log("c2"))

    assert answer.body == result(success("c2", overwrite=True), errors=[failure(CONFLICT)])
    assert await names(gateway) == {"c1": "there"}


async def test_a_retry_can_overwrite_the_copy_that_a_conflict_named(gateway: HttpGateway) -> None:
    await import_(gateway, log("c1"), space=BLUE)
    refused = await import_(gateway, log("c1", "newer"), space=BLUE)
    copy_id = refused.body["errors"][0]["error"]["destinationId"]

    wanted = retry(overwrite=True, destinationId=copy_id)
    answer = await resolve(gateway, [wanted], log("c1", "newer"), space=BLUE)

    assert answer.body == result(success(name="newer", overwrite=True, destinationId=copy_id))
    assert await names(gateway, BLUE) == {copy_id: "newer"}


async def test_a_destination_that_is_taken_is_a_conflict_over_it(gateway: HttpGateway) -> None:
    answer = await resolve(gateway, [retry("c2", destinationId="c1")], log("c2"))

    assert answer.body == result(errors=[failure({**CONFLICT, "destinationId": "c1"}, "c2")])


async def test_a_destination_that_another_space_has_becomes_a_new_id(gateway: HttpGateway) -> None:
    answer = await resolve(gateway, [retry("c2", destinationId="c1")], log("c2"), space=BLUE)

    [new_id] = await names(gateway, BLUE)
    assert answer.body == result(success("c2", destinationId=new_id))
    assert uuid.UUID(new_id).version == 4


@pytest.mark.parametrize("destination", [{}, {"destinationId": "mine"}])
async def test_a_retry_can_make_a_new_copy_without_an_origin(gateway: HttpGateway, destination: Any) -> None:
    answer = await resolve(gateway, [retry(createNewCopy=True, **destination)], log("c1"))

    new_id = answer.body["successResults"][0]["destinationId"]
    assert answer.body == result(success(destinationId=new_id, createNewCopy=True))
    assert (await names(gateway)).keys() == {"c1", destination.get("destinationId", new_id)}
    assert gateway.installation.states()[new_id].origin_id is None


async def test_all_retries_can_be_new_copies(gateway: HttpGateway) -> None:
    answer = await resolve(gateway, [retry()], log("c1"), query="?createNewCopies=true")

    new_id = answer.body["successResults"][0]["destinationId"]
    assert answer.body == result(success(destinationId=new_id))


async def test_references_can_be_replaced(gateway: HttpGateway) -> None:
    replaced = [{"type": "action", "from": "gone", "to": "c1"}]
    broken = log("c2", references=[{"type": "action", "id": "gone", "name": "r"}])

    answer = await resolve(gateway, [retry("c2", replaceReferences=replaced)], broken)

    assert answer.body == result(success("c2"))


@pytest.mark.parametrize(("wishes", "imported"), [({}, 0), ({"ignoreMissingReferences": True}, 1)])
async def test_missing_references_can_be_ignored(gateway: HttpGateway, wishes: Any, imported: int) -> None:
    broken = log("c2", references=[{"type": "action", "id": "gone", "name": "r"}])

    answer = await resolve(gateway, [retry("c2", **wishes)], broken)

    assert answer.body["successCount"] == imported
    assert ("c2" in await names(gateway)) is bool(imported)


@pytest.mark.parametrize(
    ("retries", "message"),
    [
        ([retry("a"), retry("b"), retry("a")], "Non-unique retry objects: [action:a]"),
        (
            [retry("a", destinationId="x"), retry("b", destinationId="x")],
            "Non-unique retry destinations: [action:x]",
        ),
        ([retry("a", destinationId="b"), retry("b")], "Non-unique retry destinations: [action:b]"),
        ([{"id": "a"}], "[request body.retries.0.type]: expected value of type [string] but got [undefined]"),
        ({"id": "a"}, "[request body.retries]: expected value of type [array] but got [object]"),
        ([retry(x=1)], "[request body.retries.0.x]: definition for this key is missing"),
        (
            [retry(replaceReferences=[{"type": "action", "from": "a"}])],
            "[request body.retries.0.replaceReferences.0.to]: expected value of type [string] but got [undefined]",
        ),
        (
            [retry(replaceReferences=[{}] * 101)],
            "[request body.retries.0.replaceReferences]: array size is [101], but cannot be greater than [100]",
        ),
        ([retry()] * 10_001, "[request body.retries]: array size is [10001], but cannot be greater than [10000]"),
        (
            [retry(destinationId="")],
            "[request body.retries.0.destinationId]: value has length [0] but it must have a minimum length of [1].",
        ),
    ],
)
async def test_retries_that_are_refused(gateway: HttpGateway, retries: Any, message: str) -> None:
    answer = await resolve(gateway, retries, log(), auth=VIEWER)

    assert (answer.status, answer.message) == (400, message)


async def test_a_form_without_retries_is_refused(gateway: HttpGateway) -> None:
    missing = await gateway.call("POST", RESOLVE, data=form(ndjson(log())))
    broken = form(ndjson(log()))
    broken.add_field("retries", "[")
    no_json = await gateway.call("POST", RESOLVE, data=broken)
    no_file = await gateway.call("POST", RESOLVE, data=fields(retries=json.dumps([])))

    assert missing.message == "[request body.retries]: expected value of type [array] but got [undefined]"
    assert no_json.message == "[request body.retries]: could not parse array value from json input"
    assert no_file.message == "[request body.file]: expected value of type [Stream] but got [undefined]"


async def test_a_second_try_cannot_copy_compatibly(gateway: HttpGateway) -> None:
    answer = await resolve(gateway, [], log(), query="?createNewCopies=true&compatibilityMode=true", auth=VIEWER)

    assert (answer.status, answer.message) == (400, "cannot use [createNewCopies] with [compatibilityMode]")


async def test_a_second_try_needs_the_privilege_to_create(gateway: HttpGateway) -> None:
    answer = await resolve(gateway, [retry("c2")], log("c2"), auth=VIEWER)

    assert (answer.status, answer.message) == (403, "Unable to bulk_create action")
    assert (await gateway.get(f"{CONNECTOR}/c2")).status == 404
