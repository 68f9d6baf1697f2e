"""An external schema registry: our schemas under its ids, spoken to over a real socket."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectory.domain.errors import SettingsInvalid, Unavailable, Undecodable
from connectory.domain.execution import ActionRequest
from connectory.infra.messages import Messages
from connectory.infra.schema_registry import open_external_registry
from connectory_schemas.registry import bundled_schemas

SUBJECT = "connectory.ActionRequest"
REQUEST = ActionRequest(
    request_id="r1",
    space_id="default",
    connector_id="c1",
    params={"a": 1},
    requested_at=datetime(2026, 11, 24, tzinfo=UTC),
)


class FakeRegistry:
    """Keeps subjects in memory, gives ids from 501 on, and hands schemas out in a layout of its own."""

    def __init__(self) -> None:
        self.versions: dict[str, list[tuple[int, str]]] = {}
        self.failing: web.Response | None = None
        self.authorization: str | None = None

    def add(self, subject: str, text: str) -> int:
        laid_out = json.dumps(json.loads(text), indent=4)
        versions = self.versions.setdefault(subject, [])
        for schema_id, known in versions:
            if known == laid_out:
                return schema_id
        versions.append((501 + sum(map(len, self.versions.values())), laid_out))
        return versions[-1][0]

    async def register(self, request: web.Request) -> web.Response:
        self.authorization = request.headers.get("Authorization")
        if self.failing is not None:
            return self.failing
        schema_id = self.add(request.match_info["subject"], (await request.json())["schema"])
        return web.json_response({"id": schema_id}, content_type="application/vnd.schemaregistry.v1+json")

    async def list_versions(self, request: web.Request) -> web.Response:
        return web.json_response(list(range(1, 1 + len(self.versions[request.match_info["subject"]]))))

    async def get_version(self, request: web.Request) -> web.Response:
        subject, version = request.match_info["subject"], int(request.match_info["version"])
        schema_id, text = self.versions[subject][version - 1]
        return web.json_response({"subject": subject, "version": version, "id": schema_id, "schema": text})


@pytest.fixture
def fake() -> FakeRegistry:
    return FakeRegistry()


@pytest.fixture
async def url(fake: FakeRegistry) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/subjects/{subject}/versions", fake.register)
    app.router.add_get("/subjects/{subject}/versions", fake.list_versions)
    app.router.add_get("/subjects/{subject}/versions/{version}", fake.get_version)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


def newer_text() -> str:
    schema = json.loads(bundled_schemas().latest(SUBJECT).text)
    schema["fields"].append({"name": "priority", "type": "int", "default": 0})
    return json.dumps(schema)


def written_with(schema_id: int, suffix: bytes) -> bytes:
    """REQUEST as a newer producer writes it: our fields in our order, then its own."""
    return b"\0" + schema_id.to_bytes(4, "big") + Messages().encode(REQUEST)[5:] + suffix


async def test_all_our_schemas_are_registered(fake: FakeRegistry, url: str) -> None:
    async with open_external_registry(url) as registry:
        assert sorted(fake.versions) == registry.schemas.subjects() == bundled_schemas().subjects()


async def test_records_are_written_with_the_ids_of_the_registry(fake: FakeRegistry, url: str) -> None:
    async with open_external_registry(url) as registry:
        messages = Messages(registry.schemas)
        encoded = messages.encode(REQUEST)
    assert int.from_bytes(encoded[1:5], "big") == fake.versions[SUBJECT][0][0]
    assert messages.decode(encoded, ActionRequest) == REQUEST


async def test_registering_twice_gives_the_same_ids(fake: FakeRegistry, url: str) -> None:
    async with open_external_registry(url) as first, open_external_registry(url) as second:
        assert first.schemas.latest(SUBJECT).id == second.schemas.latest(SUBJECT).id
    assert all(len(versions) == 1 for versions in fake.versions.values())


async def test_a_version_that_others_registered_before_is_readable(fake: FakeRegistry, url: str) -> None:
    newer = fake.add(SUBJECT, newer_text())
    async with open_external_registry(url) as registry:
        assert Messages(registry.schemas).decode(written_with(newer, b"\x02"), ActionRequest) == REQUEST


async def test_a_version_that_others_register_later_is_readable_after_a_refresh(fake: FakeRegistry, url: str) -> None:
    async with open_external_registry(url) as registry:
        messages = Messages(registry.schemas)
        value = written_with(fake.add(SUBJECT, newer_text()), b"\x02")
        with pytest.raises(Undecodable, match="unknown"):
            messages.decode(value, ActionRequest)
        await registry.refresh()
        assert messages.decode(value, ActionRequest) == REQUEST


async def test_credentials_are_sent(fake: FakeRegistry, url: str) -> None:
    async with open_external_registry(url, user="u", password="p"):
        assert fake.authorization == "Basic dTpw"


@pytest.mark.parametrize(
    ("status", "error"), [(409, SettingsInvalid), (401, SettingsInvalid), (500, Unavailable), (429, Unavailable)]
)
async def test_a_refusal_says_what_was_asked(fake: FakeRegistry, url: str, status: int, error: type[Exception]) -> None:
    fake.failing = web.Response(status=status, text="no such luck")
    with pytest.raises(error, match=f"POST /subjects/.* with {status}: no such luck"):
        async with open_external_registry(url):
            pass


async def test_an_answer_that_is_not_json_is_a_registry_that_does_not_answer(fake: FakeRegistry, url: str) -> None:
    fake.failing = web.Response(text="<html>")
    with pytest.raises(Unavailable, match="does not answer"):
        async with open_external_registry(url):
            pass


async def test_a_registry_that_cannot_be_reached_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        async with open_external_registry("http://127.0.0.1:1"):
            pass
