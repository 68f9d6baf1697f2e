"""Exports over HTTP: the form of the file, what is in it and in which order, and what is refused."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectory.infra.settings import Settings
from tests.http_gateway import HOOK, VIEWER, Answer, HttpGateway, http_gateway, reading_replies
from tests.saved_objects import EXPORT, import_, line
from tests.unit.installation import Installation

AT = "2026-01-01T12:00:00.000Z"
LOG = {"name": "log", "connector_type_id": ".server-log", "config": {}}
DETAILS = (
    '{"excludedObjects":[],"excludedObjectsCount":0,"exportedCount":%d,"missingRefCount":0,"missingReferences":[]}'
)


@pytest.fixture
async def gateway() -> AsyncIterator[HttpGateway]:
    async with http_gateway(await Installation().create_topics()) as gateway:
        await reading_replies(gateway)
        yield gateway


async def export(gateway: HttpGateway, space: str = "", **body: Any) -> Answer:
    return await gateway.call("POST", space + EXPORT, body)


def ids(answer: Answer) -> list[str]:
    return [each["id"] for each in map(json.loads, answer.raw.splitlines()) if "id" in each]


async def test_an_export_is_a_file_of_lines_with_keys_in_order_and_no_final_newline(gateway: HttpGateway) -> None:
    await gateway.create("c1", name="hook")

    answer = await export(gateway, type="action")

    one, last = answer.raw.decode().split("\n")
    version = json.loads(one)["version"]
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/ndjson")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="export.ndjson"'
    assert one == (
        '{"attributes":{"actionTypeId":".webhook","config":{"additionalFields":null,"hasAuth":false,"headers":null,'
        '"method":"post","url":"http://target/a"},"isMissingSecrets":false,"name":"hook","secrets":{}},'
        f'"coreMigrationVersion":"8.8.0","created_at":"{AT}","id":"c1","managed":false,"references":[],'
        f'"type":"action","typeMigrationVersion":"8.3.0","updated_at":"{AT}","version":"{version}"}}'
    )
    assert last == DETAILS % 1


async def test_keys_are_in_order_inside_configs_and_lists_too(gateway: HttpGateway) -> None:
    await import_(gateway, line(attributes={"config": {"b": [{"z": 1, "a": None}], "ä": 2, "a": {"d": 1, "c": 2}}}))

    answer = await export(gateway, type=["action"])

    assert b'"config":{"a":{"c":2,"d":1},"b":[{"a":null,"z":1}],"\xc3\xa4":2}' in answer.raw


async def test_an_export_never_has_secrets(gateway: HttpGateway) -> None:
    secrets = {"user": "ops", "password": "pässword"}
    await gateway.create("c1", config={**HOOK["config"], "hasAuth": True}, secrets=secrets)

    answer = await export(gateway, type="action")

    attributes = json.loads(answer.raw.splitlines()[0])["attributes"]
    assert (attributes["secrets"], attributes["isMissingSecrets"]) == ({}, True)
    assert "pässword".encode() not in answer.raw


async def test_the_line_of_counts_can_be_left_out(gateway: HttpGateway) -> None:
    nothing = await export(gateway, type="action", excludeExportDetails=True)
    details = await export(gateway, type="action")

    assert (nothing.status, nothing.raw) == (200, b"")
    assert details.raw.decode() == DETAILS % 0


@pytest.mark.parametrize("type_", ["action", ["action"], "*", ["*"]])
async def test_exports_by_type_are_ordered_by_id_and_keep_to_the_space(gateway: HttpGateway, type_: Any) -> None:
    for connector_id in ("b", "a", "C"):
        await gateway.create(connector_id)
    await gateway.create("d", space="/s/blue")

    assert ids(await export(gateway, type=type_)) == ["C", "a", "b"]
    assert ids(await export(gateway, "/s/blue", type=type_)) == ["d"]


async def test_exports_by_objects_keep_the_order_that_was_asked_for(gateway: HttpGateway) -> None:
    for connector_id in ("a", "b", "c"):
        await gateway.create(connector_id)

    answer = await export(gateway, objects=[{"type": "action", "id": each} for each in ("b", "c", "a", "b")])

    assert ids(answer) == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("orders", ["a"]),
        ("ORD*", ["a"]),
        ("o*s to", ["a"]),
        ("team", ["a", "b"]),
        ("team sales", ["b"]),
        ("(", []),
        ("", ["a", "b"]),
    ],
)
async def test_a_search_looks_at_names(gateway: HttpGateway, search: str, found: list[str]) -> None:
    await gateway.create("a", name="Orders to the team")
    await gateway.create("b", name="Sales team")

    assert ids(await export(gateway, type="action", search=search)) == found


@pytest.mark.parametrize("reference", [{"type": "action", "id": "x"}, [{"type": "tag", "id": "x"}]])
async def test_no_connector_refers_to_anything(gateway: HttpGateway, reference: Any) -> None:
    await gateway.create("a")

    assert ids(await export(gateway, type="action", hasReference=reference)) == []
    assert ids(await export(gateway, type="action", hasReference=[], includeReferencesDeep=True)) == ["a"]


OBJECTS = [{"type": "action", "id": "c1"}]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Either `type` or `objects` are required."),
        ({"type": [], "objects": []}, "Either `type` or `objects` are required."),
        (
            {"type": "action", "objects": OBJECTS},
            'Can\'t specify both "types" and "objects" properties when exporting',
        ),
        (
            {"objects": OBJECTS, "search": "x"},
            'Can\'t specify both "search" and "objects" properties when exporting',
        ),
        (
            {"objects": OBJECTS, "hasReference": OBJECTS},
            'Can\'t specify both "references" and "objects" properties when exporting',
        ),
        ({"objects": OBJECTS * 4}, "Can't export more than 3 objects"),
        ({"type": ["dashboard", "action", "map"]}, "Trying to export non-exportable type(s): dashboard, map"),
        ({"objects": [{"type": "tag", "id": "x"}]}, "Trying to export non-exportable type(s): tag"),
        ({"type": 1}, "[request body.type]: expected value of type [array] but got [number]"),
        (
            {"objects": [{"type": "action"}]},
            "[request body.objects.0.id]: expected value of type [string] but got [undefined]",
        ),
        (
            {"type": "action", "hasReference": {"type": "action"}},
            "[request body.hasReference.0.id]: expected value of type [string] but got [undefined]",
        ),
        ({"objects": ["x"]}, "[request body.objects.0]: expected value of type [object] but got [string]"),
        ({"type": "action", "x": 1}, "[request body.x]: definition for this key is missing"),
        (None, "[request body]: expected a plain object value, but found [null] instead."),
    ],
)
async def test_exports_that_are_refused_before_anybody_is_asked(body: Any, message: str) -> None:
    async with http_gateway(await Installation().create_topics(), settings=at_most(3), roles=False) as gateway:
        answer = await gateway.call("POST", EXPORT, body, auth=VIEWER)

    assert (answer.status, answer.message) == (400, message)


def at_most(limit: int) -> Settings:
    settings = Settings()
    saved_objects = settings.saved_objects.model_copy(update={"max_import_export_size": limit})
    return settings.model_copy(update={"saved_objects": saved_objects})


async def test_a_space_with_too_many_connectors_is_not_exported_whole() -> None:
    async with http_gateway(await Installation().create_topics(), settings=at_most(2)) as gateway:
        await reading_replies(gateway)
        for connector_id in ("a1", "a2", "b"):
            await gateway.create(connector_id, name=connector_id)
        whole = await export(gateway, type="action")
        part = await export(gateway, type="action", search="a")

    assert (whole.status, whole.message) == (400, "Can't export more than 2 objects")
    assert ids(part) == ["a1", "a2"]


async def test_objects_that_are_not_there_are_named(gateway: HttpGateway) -> None:
    await gateway.create("a")
    await gateway.create("b", space="/s/blue")

    answer = await export(gateway, objects=[{"type": "action", "id": each} for each in ("a", "b")])

    error = {"statusCode": 404, "error": "Not Found", "message": "Saved object [action/b] not found"}
    assert (answer.status, answer.message) == (400, "Error fetching objects to export")
    assert answer.body["attributes"] == {"objects": [{"id": "b", "type": "action", "error": error}]}


async def test_an_export_needs_the_privilege_to_read(gateway: HttpGateway) -> None:
    answer = await gateway.call("POST", EXPORT, {"objects": OBJECTS}, auth=VIEWER)

    assert (answer.status, answer.message) == (403, "Unable to bulk_get action")


@pytest.mark.parametrize(
    ("type_id", "config", "missing"),
    [
        (".server-log", {}, False),
        (".webhook", {"url": "http://target/a", "hasAuth": False}, False),
        (".webhook", {"url": "http://target/a"}, False),
        (".webhook", {"url": "http://target/a", "hasAuth": True}, True),
        (".nobody-knows", {}, True),
    ],
)
async def test_whether_secrets_will_be_missing_follows_the_type_and_its_login(
    gateway: HttpGateway, type_id: str, config: Any, missing: bool
) -> None:
    await import_(gateway, line(attributes={"actionTypeId": type_id, "config": config}))

    answer = await export(gateway, type="action")

    assert json.loads(answer.raw.splitlines()[0])["attributes"]["isMissingSecrets"] is missing
