"""Imports over HTTP: where objects go, what stands in their way, what the answer tells, and what is refused."""

import json
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from connectory.domain.in_memory_connectors import InMemoryConnector, InMemoryConnectors
from connectory.infra.settings import Settings
from tests.http_gateway import CONNECTOR, XSRF, Answer, HttpGateway, http_gateway, reading_replies
from tests.saved_objects import (
    EXPORT,
    IMPORT,
    ONE_ASKS,
    failure,
    form,
    import_,
    line,
    log,
    result,
    success,
    warning,
)
from tests.unit.installation import Installation
from tests.waiting import until_answer

CONFLICT = {"type": "conflict"}
DETAILS = {"excludedObjects": [], "exportedCount": 1, "missingReferences": []}
BLUE = "/s/blue"


@pytest.fixture
async def gateway() -> AsyncIterator[HttpGateway]:
    async with http_gateway(await Installation().create_topics()) as gateway:
        await reading_replies(gateway)
        yield gateway


def with_settings(**changes: Any) -> Settings:
    return Settings().model_copy(update=changes)


async def get(gateway: HttpGateway, connector_id: str, space: str = "") -> Answer:
    return await gateway.get(f"{space}{CONNECTOR}/{connector_id}")


async def listed(gateway: HttpGateway, space: str = "") -> dict[str, Any]:
    connectors = (await gateway.get(f"{space}/api/actions/connectors")).body
    return {each["id"]: each for each in connectors}


async def test_an_imported_connector_is_there_as_it_was_without_its_secrets(gateway: HttpGateway) -> None:
    attributes = {"secrets": {"user": "ops", "password": "pässword"}}

    answer = await import_(gateway, line(attributes=attributes), DETAILS)

    shown = (await get(gateway, "c1")).body
    assert (answer.status, answer.body) == (200, result(success(), warnings=[ONE_ASKS]))
    assert (shown["name"], shown["connector_type_id"], shown["is_missing_secrets"]) == ("hook", ".webhook", True)
    assert shown["config"] == {"url": "http://target/a", "hasAuth": True}
    assert gateway.installation.states()["c1"].secrets.ciphertexts == {}


@pytest.mark.parametrize(
    "version", [{}, {"typeMigrationVersion": "8.3.0"}, {"migrationVersion": {"action": "7.16.0"}, "managed": True}]
)
async def test_files_of_every_age_are_taken(gateway: HttpGateway, version: Any) -> None:
    answer = await import_(gateway, log(**version))

    assert answer.body == result(success(managed=version.get("managed", False)))


async def test_neither_type_nor_config_is_checked(gateway: HttpGateway) -> None:
    attributes = {"actionTypeId": ".nobody-knows", "config": {"url": "", "a": [None]}, "isMissingSecrets": False}

    answer = await import_(gateway, line(attributes=attributes))

    shown = (await get(gateway, "c1")).body
    assert answer.body["success"] is True
    assert (shown["connector_type_id"], shown["config"]) == (".nobody-knows", {"url": "", "a": [None]})


async def test_what_a_line_does_not_say_is_empty(gateway: HttpGateway) -> None:
    attributes = {"name": "old", "actionTypeId": ".server-log"}

    answer = await import_(gateway, {"type": "action", "id": "c1", "attributes": attributes})

    shown = (await get(gateway, "c1")).body
    assert answer.body == result(success(name="old"))
    assert (shown["config"], shown["is_missing_secrets"]) == ({}, False)


async def test_an_import_of_nothing_succeeds(gateway: HttpGateway) -> None:
    assert (await import_(gateway, DETAILS)).body == result()


async def test_several_that_miss_secrets_are_counted(gateway: HttpGateway) -> None:
    answer = await import_(gateway, line("a"), log("b"), line("c"))

    text = "2 connectors have sensitive information that require updates."
    assert answer.body == result(success("a"), success("b"), success("c"), warnings=[warning(text)])


async def test_an_update_with_secrets_makes_a_connector_whole(gateway: HttpGateway) -> None:
    await import_(gateway, line())
    body = {"name": "hook", "config": {"url": "http://target/a"}, "secrets": {"user": "a", "password": "b"}}

    updated = await gateway.call("PUT", f"{CONNECTOR}/c1", body)

    assert (updated.status, updated.body["is_missing_secrets"]) == (200, False)
    assert (await get(gateway, "c1")).body["is_missing_secrets"] is False


async def test_an_id_that_the_space_has_is_a_conflict_and_nothing_is_written(gateway: HttpGateway) -> None:
    await gateway.create("c1")

    answer = await import_(gateway, line("c1"), log("c2"))

    assert answer.body == result(success("c2"), errors=[failure(CONFLICT)])
    assert [*await listed(gateway)] == ["c1"]


async def test_an_overwrite_replaces_type_name_and_config_and_drops_the_secrets(gateway: HttpGateway) -> None:
    config = {"url": "http://target/a", "hasAuth": True}
    await gateway.create("c1", config=config, secrets={"user": "a", "password": "b"})

    answer = await import_(gateway, log("c1", "new"), query="?overwrite=true")

    shown = (await get(gateway, "c1")).body
    assert answer.body == result(success(name="new", overwrite=True))
    assert (shown["connector_type_id"], shown["name"], shown["config"]) == (".server-log", "new", {})
    assert gateway.installation.states()["c1"].secrets.ciphertexts == {}


async def test_an_id_that_another_space_has_becomes_a_new_one(gateway: HttpGateway) -> None:
    await gateway.create("c1")

    answer = await import_(gateway, log("c1"), space=BLUE)

    [new_id] = await listed(gateway, BLUE)
    assert uuid.UUID(new_id).version == 4
    assert answer.body == result(success(destinationId=new_id))
    assert (await get(gateway, "c1")).status == 200


async def test_a_second_import_finds_the_copy_by_its_origin(gateway: HttpGateway) -> None:
    await gateway.create("c1")
    await import_(gateway, log("c1"), space=BLUE)
    [new_id] = await listed(gateway, BLUE)

    again = await import_(gateway, log("c1"), space=BLUE)
    over = await import_(gateway, log("c1", "newer"), space=BLUE, query="?overwrite=true")

    assert again.body == result(errors=[failure({"type": "conflict", "destinationId": new_id})])
    assert over.body == result(success(name="newer", destinationId=new_id, overwrite=True))
    assert {each["name"] for each in (await listed(gateway, BLUE)).values()} == {"newer"}


async def test_the_origin_travels_on_in_exports(gateway: HttpGateway) -> None:
    await gateway.create("c1")
    await import_(gateway, log("c1"), space=BLUE)
    exported = await gateway.call("POST", BLUE + EXPORT, {"type": "action"})

    answer = await gateway.call("POST", IMPORT, data=form(exported.raw))

    copy = json.loads(exported.raw.splitlines()[0])
    assert copy["originId"] == "c1"
    expected = failure({"type": "conflict", "destinationId": "c1"}, copy["id"])
    assert answer.body == result(errors=[expected])


async def test_two_copies_of_one_origin_are_an_ambiguous_conflict(gateway: HttpGateway) -> None:
    await gateway.create("c1")
    await import_(gateway, log("a", "one", originId="c1"), log("b", "two", originId="c1"), space=BLUE)

    answer = await import_(gateway, log("c1"), space=BLUE, query="?overwrite=true")

    at = "2026-01-01T12:00:00.000Z"
    destinations = [
        {"id": "a", "title": "Connector: [one]", "updatedAt": at},
        {"id": "b", "title": "Connector: [two]", "updatedAt": at},
    ]
    assert answer.body == result(errors=[failure({"type": "ambiguous_conflict", "destinations": destinations})])


async def test_two_objects_of_one_origin_become_new_copies(gateway: HttpGateway) -> None:
    await gateway.create("c1")
    await import_(gateway, log("mine", originId="c1"), space=BLUE)

    answer = await import_(gateway, log("x", originId="c1"), log("y", originId="c1"), space=BLUE)

    made = [each["destinationId"] for each in answer.body["successResults"]]
    expected = [success(key, destinationId=new, createNewCopy=True) for key, new in zip("xy", made, strict=True)]
    assert answer.body == result(*expected)
    assert set(await listed(gateway, BLUE)) == {"mine", *made}


async def test_new_copies_meet_no_conflict_and_forget_their_origin(gateway: HttpGateway) -> None:
    await gateway.create("c1")

    answer = await import_(gateway, log("c1"), query="?createNewCopies=true")
    again = await import_(gateway, log("c1"))

    new_id = answer.body["successResults"][0]["destinationId"]
    assert answer.body == result(success(destinationId=new_id))
    assert set(await listed(gateway)) == {"c1", new_id}
    assert again.body["errors"] == [failure(CONFLICT)]


@pytest.mark.parametrize(
    "references", [[{"type": "action", "id": "gone", "name": "r"}], [{"type": "index-pattern", "id": "gone"}]]
)
async def test_what_refers_to_nothing_is_not_imported(gateway: HttpGateway, references: Any) -> None:
    answer = await import_(gateway, log(references=references))

    missing = [{"type": references[0]["type"], "id": "gone"}]
    assert answer.body == result(errors=[failure({"type": "missing_references", "references": missing})])
    assert await listed(gateway) == {}


async def test_references_to_what_is_there_or_comes_along_hold(gateway: HttpGateway) -> None:
    await gateway.create("there")
    references = [{"type": "action", "id": each, "name": each} for each in ("there", "c2")]

    answer = await import_(gateway, log(references=references), log("c2"))

    assert answer.body == result(success(), success("c2"))


async def test_other_types_are_named_and_hold_up_nobody(gateway: HttpGateway) -> None:
    dashboard = {"type": "dashboard", "id": "d", "attributes": {"title": "Board"}}

    answer = await import_(gateway, dashboard, log())

    error = {"type": "dashboard", "id": "d", "meta": {"title": "Board"}, "error": {"type": "unsupported_type"}}
    assert answer.body == result(success(), errors=[error])
    assert [*await listed(gateway)] == ["c1"]


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"name": 1}, "[attributes.name]: expected value of type [string] but got [number]"),
        ({"config": []}, "[attributes.config]: expected value of type [object] but got [array]"),
        (
            {"isMissingSecrets": "no"},
            "[attributes.isMissingSecrets]: expected value of type [boolean] but got [string]",
        ),
        (
            {"name": "x" * 1025},
            "[attributes.name]: value has length [1025] but it must have a maximum length of [1024].",
        ),
    ],
)
async def test_what_no_connector_can_be_is_an_error_of_that_object(
    gateway: HttpGateway, attributes: Any, message: str
) -> None:
    answer = await import_(gateway, line("bad", attributes=attributes), log())

    error = {"type": "unknown", "statusCode": 400, "error": "Bad Request", "message": message}
    assert answer.body == result(success(), errors=[failure(error, "bad")])
    assert [*await listed(gateway)] == ["c1"]


async def test_an_object_too_large_for_the_log_is_an_error_of_that_object(gateway: HttpGateway) -> None:
    huge = line("huge", attributes={"config": {"text": "x" * 1_100_000}})

    answer = await import_(gateway, huge, log())

    assert [each["id"] for each in answer.body["successResults"]] == ["c1"]
    assert answer.body["errors"][0]["error"]["statusCode"] == 413


async def test_an_id_taken_meanwhile_is_an_error_of_that_object(gateway: HttpGateway) -> None:
    await gateway.create("c1")
    gateway.read_models.unseen = {"c1"}

    answer = await import_(gateway, log("c1"), log("c2"))

    gateway.read_models.unseen = set()
    assert answer.body == result(success("c2"), errors=[failure(CONFLICT)])
    assert set(await listed(gateway)) == {"c1", "c2"}


@pytest.fixture
async def configured() -> AsyncIterator[HttpGateway]:
    """With connectors in the settings, and ids that must be well formed."""
    installation = await Installation().create_topics()
    installation.in_memory = InMemoryConnectors(
        InMemoryConnector(connector_id=each, connector_type_id=".server-log", name=each) for each in ("ops", "dev")
    )
    async with http_gateway(installation, settings=with_settings(strict_ids=True)) as gateway:
        await reading_replies(gateway)
        yield gateway


PRECONFIGURED = (
    "Connector with ID [ops] conflicts with a preconfigured connector and was removed. "
    "The preconfigured connector will be used instead."
)
SEVERAL_PRECONFIGURED = (
    "Connectors with IDs [ops, dev] conflict with preconfigured connectors and were removed. "
    "The preconfigured connectors will be used instead."
)
STRICT = "Connector IDs must contain only lowercase letters, numbers, and hyphens and be 36 characters or less."


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (["ops"], PRECONFIGURED),
        (["ops", "dev"], SEVERAL_PRECONFIGURED),
        (["Bad_1"], f"Connector with ID [Bad_1] has an invalid ID and was removed. {STRICT}"),
        (
            ["Bad_1", "x" * 37],
            f"Connectors with IDs [Bad_1, {'x' * 37}] have invalid IDs and were removed. {STRICT}",
        ),
    ],
)
async def test_ids_that_are_not_kept(configured: HttpGateway, ids: list[str], message: str) -> None:
    answer = await import_(configured, *(line(each) for each in ids), log("good"))

    imported = [*(success(each) for each in ids), success("good")]
    assert answer.body == result(*imported, warnings=[warning(message)])
    assert set(configured.installation.states()) == {"good"}


async def test_ids_made_anew_are_kept(configured: HttpGateway) -> None:
    answer = await import_(configured, log("ops"), log("Bad_1"), query="?createNewCopies=true")

    assert answer.body["warnings"] == []
    assert len(configured.installation.states()) == 2


async def test_an_import_that_is_repeated_is_no_conflict_with_itself(gateway: HttpGateway) -> None:
    await gateway.create("theirs", space=BLUE)
    headers = {**XSRF, "x-connectory-command-id": str(uuid.uuid4())}

    first = await import_(gateway, log("mine"), log("theirs"), headers=headers)
    again = await import_(gateway, log("mine"), log("theirs"), headers=headers)
    other = await import_(gateway, log("mine"), log("theirs"))

    assert (again.status, again.body) == (200, first.body)
    assert [each["error"]["type"] for each in other.body["errors"]] == ["conflict", "conflict"]
    assert gateway.installation.states()["mine"].version == 1


async def test_an_import_without_an_answer_names_the_command_to_repeat() -> None:
    settings = with_settings(gateway=Settings().gateway.model_copy(update={"reply_timeout": timedelta(0)}))
    async with http_gateway(await Installation().create_topics(), settings=settings, roles=False) as gateway:
        answer = await until_answer(
            lambda: import_(gateway, log("a"), log("b")), lambda answer: "attributes" in answer.body
        )

    assert answer.status == 503
    assert uuid.UUID(answer.body["attributes"]["command_id"]).version == 4


async def test_many_are_imported_in_one_call(gateway: HttpGateway) -> None:
    answer = await import_(gateway, *(log(f"c{number}") for number in range(500)))

    assert (answer.body["successCount"], len(await listed(gateway))) == (500, 500)
