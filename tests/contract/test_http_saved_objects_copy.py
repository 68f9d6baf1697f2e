"""Copies to other spaces: an export and an import in one, for callers who may."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectory.domain.privileges import Right, granted
from connectory.infra.settings import Settings
from tests.http_gateway import CONNECTOR, HOOK, VIEWER, Answer, HttpGateway, Users, http_gateway, reading_replies
from tests.saved_objects import COPY, RESOLVE_COPY, failure, success
from tests.unit.installation import Installation

C1 = {"type": "action", "id": "c1"}
SECRETS = {"user": "ops", "password": "pässword"}


@pytest.fixture
async def gateway() -> AsyncIterator[HttpGateway]:
    async with http_gateway(await Installation().create_topics()) as gateway:
        await reading_replies(gateway)
        await gateway.create("c1", config={**HOOK["config"], "hasAuth": True}, secrets=SECRETS)
        yield gateway


async def copy(gateway: HttpGateway, space: str = "", **body: Any) -> Answer:
    return await gateway.call("POST", space + COPY, {"spaces": ["blue"], "objects": [C1], **body})


async def resolve(gateway: HttpGateway, retries: Any, **body: Any) -> Answer:
    return await gateway.call("POST", RESOLVE_COPY, {"retries": retries, "objects": [C1], **body})


async def listed(gateway: HttpGateway, space_id: str) -> dict[str, Any]:
    connectors = (await gateway.get(f"/s/{space_id}/api/actions/connectors")).body
    return {each["id"]: each for each in connectors}


def copied(*successes: Any, errors: Any = ()) -> dict[str, Any]:
    shown: dict[str, Any] = {"success": not errors, "successCount": len(successes)}
    return shown | ({"successResults": [*successes]} if successes else {}) | ({"errors": [*errors]} if errors else {})


async def test_a_copy_has_a_new_id_in_each_space_and_no_secrets(gateway: HttpGateway) -> None:
    answer = await copy(gateway, spaces=["blue", "red"])

    [(blue, there)] = (await listed(gateway, "blue")).items()
    [red] = await listed(gateway, "red")
    expected = {"blue": copied(success(destinationId=blue)), "red": copied(success(destinationId=red))}
    assert (answer.status, answer.body) == (200, expected)
    assert (there["name"], there["is_missing_secrets"]) == ("hook", True)
    assert gateway.installation.states()[blue].secrets.ciphertexts == {}
    assert (await gateway.get(f"{CONNECTOR}/c1")).body["is_missing_secrets"] is False


async def test_new_copies_are_made_each_time(gateway: HttpGateway) -> None:
    await copy(gateway)
    await copy(gateway)

    assert len(await listed(gateway, "blue")) == 2


async def test_a_copy_that_is_no_new_one_is_known_by_its_origin(gateway: HttpGateway) -> None:
    first = await copy(gateway, createNewCopies=False)
    again = await copy(gateway, createNewCopies=False)
    over = await copy(gateway, createNewCopies=False, overwrite=True)

    [there] = await listed(gateway, "blue")
    conflict = failure({"type": "conflict", "destinationId": there})
    assert first.body == {"blue": copied(success(destinationId=there))}
    assert again.body == {"blue": copied(errors=[conflict])}
    assert over.body == {"blue": copied(success(destinationId=there, overwrite=True))}


async def test_the_space_of_the_url_is_the_one_that_is_copied_from(gateway: HttpGateway) -> None:
    elsewhere = await copy(gateway, "/s/green")
    await gateway.create("g1", space="/s/green")
    there = await copy(gateway, "/s/green", objects=[{"type": "action", "id": "g1"}])

    assert elsewhere.status == 404
    assert there.body["blue"]["successCount"] == 1


async def test_sources_that_are_not_there_are_named(gateway: HttpGateway) -> None:
    answers = [
        await copy(gateway, objects=[C1, {"type": "action", "id": "gone"}]),
        await resolve(gateway, {"blue": []}, objects=[{"type": "action", "id": "gone"}]),
    ]

    error = {"statusCode": 404, "error": "Not Found", "message": "Saved object [action/gone] not found"}
    attributes = {"objects": [{"id": "gone", "type": "action", "error": error}]}
    for answer in answers:
        assert (answer.status, answer.message) == (404, "Saved objects not found")
        assert answer.body["attributes"] == attributes
    assert await listed(gateway, "blue") == {}


async def test_a_second_try_copies_what_it_names(gateway: HttpGateway) -> None:
    await copy(gateway, createNewCopies=False)
    [there] = await listed(gateway, "blue")

    over = {**C1, "overwrite": True, "destinationId": there}
    answer = await resolve(gateway, {"blue": [over], "red": [], "grey": [C1]}, createNewCopies=False)

    [grey] = await listed(gateway, "grey")
    assert answer.body == {
        "blue": copied(success(destinationId=there, overwrite=True)),
        "red": copied(),
        "grey": copied(success(destinationId=grey)),
    }


async def test_a_second_try_may_overwrite_everything(gateway: HttpGateway) -> None:
    await copy(gateway, createNewCopies=False)
    [there] = await listed(gateway, "blue")

    retries = {"blue": [{**C1, "destinationId": there}]}
    refused = await resolve(gateway, retries, createNewCopies=False)
    done = await resolve(gateway, retries, createNewCopies=False, overwrite=True)

    assert refused.body["blue"]["errors"] == [failure({"type": "conflict", "destinationId": there})]
    assert done.body["blue"]["success"] is True


async def test_a_second_try_makes_new_copies_unless_told_otherwise(gateway: HttpGateway) -> None:
    answer = await resolve(gateway, {"default": [C1]})

    assert answer.body["default"]["success"] is True
    assert len(await listed(gateway, "default")) == 2


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"overwrite": True}, "cannot use [overwrite] with [createNewCopies]"),
        ({"compatibilityMode": True}, "cannot use [compatibilityMode] with [createNewCopies]"),
        ({"objects": [C1, C1]}, "duplicate objects are not allowed"),
        ({"objects": [{"type": "map", "id": "m"}]}, "Trying to export non-exportable type(s): map"),
        ({"objects": [{"type": "action", "id": each} for each in "abc"]}, "Can't export more than 2 objects"),
    ],
)
async def test_what_neither_a_copy_nor_its_second_try_takes(body: Any, message: str) -> None:
    limits = Settings().saved_objects.model_copy(update={"max_import_export_size": 2})
    settings = Settings().model_copy(update={"saved_objects": limits})
    async with http_gateway(await Installation().create_topics(), settings=settings, roles=False) as gateway:
        answers = [
            await gateway.call("POST", COPY, {"spaces": ["blue"], "objects": [C1], **body}, auth=VIEWER),
            await gateway.call("POST", RESOLVE_COPY, {"retries": {}, "objects": [C1], **body}, auth=VIEWER),
        ]

    assert [(answer.status, answer.message) for answer in answers] == [(400, message)] * 2


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"spaces": ["blue", "red", "blue"]}, "duplicate space ids are not allowed"),
        (
            {"spaces": ["Blue"]},
            "[request body.spaces.0]: must be lower case, a-z, 0-9, '_', and '-' are allowed",
        ),
        ({"spaces": None}, "[request body.spaces]: expected value of type [array] but got [null]"),
        (
            {"objects": [{"id": "c1"}]},
            "[request body.objects.0.type]: expected value of type [string] but got [undefined]",
        ),
    ],
)
async def test_copies_that_are_refused(gateway: HttpGateway, body: Any, message: str) -> None:
    answer = await gateway.call("POST", COPY, {"spaces": ["blue"], "objects": [C1], **body}, auth=VIEWER)

    assert (answer.status, answer.message) == (400, message)


@pytest.mark.parametrize(
    ("retries", "message"),
    [
        ({"blue": [C1, C1]}, "Non-unique retry objects: [action:c1]"),
        (
            {"blue": [{**C1, "destinationId": "x"}, {"type": "action", "id": "c2", "destinationId": "x"}]},
            "Non-unique retry destinations: [action:x]",
        ),
        (
            {"Blue": []},
            "[request body.retries.key(\"Blue\")]: must be lower case, a-z, 0-9, '_', and '-' are allowed",
        ),
        (
            {"blue": [{"id": "c1"}]},
            "[request body.retries.blue.0.type]: expected value of type [string] but got [undefined]",
        ),
        ([], "[request body.retries]: expected value of type [object] but got [array]"),
    ],
)
async def test_second_tries_of_copies_that_are_refused(gateway: HttpGateway, retries: Any, message: str) -> None:
    answer = await gateway.call("POST", RESOLVE_COPY, {"retries": retries, "objects": [C1]}, auth=VIEWER)

    assert (answer.status, answer.message) == (400, message)


@pytest.mark.parametrize(
    ("here", "there", "status"),
    [
        ({Right.COPY_TO_SPACES, Right.GET}, {Right.CREATE}, 200),
        ({Right.COPY_TO_SPACES, Right.GET}, {Right.GET}, 403),
        ({Right.COPY_TO_SPACES}, {Right.CREATE}, 403),
        ({Right.GET, Right.CREATE}, {Right.CREATE}, 403),
    ],
)
async def test_who_copies_may_read_here_and_create_there(here: set[Right], there: set[Right], status: int) -> None:
    users = Users()
    users.roles["copier"] = granted({"default"}, here).and_also(granted({"blue"}, there))
    async with http_gateway(await Installation().create_topics(), users=users) as gateway:
        await reading_replies(gateway)
        await gateway.create("c1")
        body = {"spaces": ["blue"], "objects": [C1]}
        answer = await gateway.call("POST", COPY, body, auth=users.add("carl", "copier"))

    assert answer.status == status
    assert status == 200 or answer.message == "Unauthorized to copy saved objects to spaces"


async def test_a_copy_needs_a_privilege_of_its_own(gateway: HttpGateway) -> None:
    answers = [
        await gateway.call("POST", COPY, {"spaces": ["blue"], "objects": [C1]}, auth=VIEWER),
        await gateway.call("POST", RESOLVE_COPY, {"retries": {"blue": []}, "objects": [C1]}, auth=VIEWER),
    ]

    denied = (403, "Unauthorized to copy saved objects to spaces")
    assert [(answer.status, answer.message) for answer in answers] == [denied, denied]


@pytest.mark.parametrize(
    ("route", "first"), [("_copy_saved_objects", "spaces"), ("_resolve_copy_saved_objects_errors", "retries")]
)
async def test_an_empty_body_lacks_first_where_it_goes(route: str, first: str) -> None:
    async with http_gateway(await Installation().create_topics(), roles=False) as gateway:
        answer = await gateway.call("POST", f"/api/spaces/{route}", {})

    type_ = {"spaces": "array", "retries": "object"}[first]
    text = f"[request body.{first}]: expected value of type [{type_}] but got [undefined]"
    assert (answer.status, answer.message) == (400, text)
