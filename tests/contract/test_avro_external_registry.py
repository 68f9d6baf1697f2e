"""An external schema registry: our schemas under its ids, spoken to over a real socket."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from connectory.composition import Foundation, run_roles
from connectory.domain.errors import SettingsInvalid, Unavailable, Undecodable
from connectory.domain.execution import ActionRequest
from connectory.domain.replies import CommandAccepted
from connectory.infra import topics
from connectory.infra.headers import reply_to
from connectory.infra.messages import Messages
from connectory.infra.schema_registry import open_external_registry, open_schemas
from connectory.infra.settings import SchemaRegistrySettings, Settings
from connectory.roles import Role
from connectory_schemas.registry import bundled_schemas
from tests.fakes.schema_registry import SchemaRegistryServer
from tests.unit.connectors import AT, create
from tests.unit.installation import Installation, owned
from tests.waiting import until

SUBJECT = "connectory.ActionRequest"
REQUEST = ActionRequest(
    request_id="r1",
    space_id="default",
    connector_id="c1",
    params={"a": 1},
    requested_at=datetime(2026, 11, 24, tzinfo=UTC),
)


@pytest.fixture
def fake() -> SchemaRegistryServer:
    return SchemaRegistryServer()


@pytest.fixture
async def url(fake: SchemaRegistryServer) -> AsyncIterator[str]:
    async with TestServer(fake.application()) as server:
        yield str(server.make_url("/"))


def newer_text() -> str:
    schema = json.loads(bundled_schemas().latest(SUBJECT).text)
    schema["fields"].append({"name": "priority", "type": "int", "default": 0})
    return json.dumps(schema)


def written_with(schema_id: int, suffix: bytes) -> bytes:
    """REQUEST as a newer producer writes it: our fields in our order, then its own."""
    return b"\0" + schema_id.to_bytes(4, "big") + Messages().encode(REQUEST)[5:] + suffix


async def test_all_our_schemas_are_registered(fake: SchemaRegistryServer, url: str) -> None:
    async with open_external_registry(url) as registry:
        assert sorted(fake.versions) == registry.schemas.subjects() == bundled_schemas().subjects()


async def test_records_are_written_with_the_ids_of_the_registry(fake: SchemaRegistryServer, url: str) -> None:
    async with open_external_registry(url) as registry:
        messages = Messages(registry.schemas)
        encoded = messages.encode(REQUEST)
    assert int.from_bytes(encoded[1:5], "big") == fake.versions[SUBJECT][-1][0]
    assert messages.decode(encoded, ActionRequest) == REQUEST


async def test_registering_twice_gives_the_same_ids(fake: SchemaRegistryServer, url: str) -> None:
    async with open_external_registry(url) as first, open_external_registry(url) as second:
        assert first.schemas.latest(SUBJECT).id == second.schemas.latest(SUBJECT).id
    ours = bundled_schemas()
    assert {subject: len(known) for subject, known in fake.versions.items()} == {
        subject: len(ours.versions(subject)) for subject in ours.subjects()
    }


async def test_a_version_that_others_registered_before_is_readable(fake: SchemaRegistryServer, url: str) -> None:
    newer = fake.add(SUBJECT, newer_text())
    async with open_external_registry(url) as registry:
        assert Messages(registry.schemas).decode(written_with(newer, b"\x02"), ActionRequest) == REQUEST


async def test_a_version_that_others_register_later_is_readable_after_a_refresh(
    fake: SchemaRegistryServer, url: str
) -> None:
    async with open_external_registry(url) as registry:
        messages = Messages(registry.schemas)
        value = written_with(fake.add(SUBJECT, newer_text()), b"\x02")
        with pytest.raises(Undecodable, match="unknown"):
            messages.decode(value, ActionRequest)
        await registry.refresh()
        assert messages.decode(value, ActionRequest) == REQUEST


async def test_credentials_are_sent(fake: SchemaRegistryServer, url: str) -> None:
    async with open_external_registry(url, user="u", password="p"):
        assert fake.authorization == "Basic dTpw"


@pytest.mark.parametrize(
    ("status", "error"), [(409, SettingsInvalid), (401, SettingsInvalid), (500, Unavailable), (429, Unavailable)]
)
async def test_a_refusal_says_what_was_asked(
    fake: SchemaRegistryServer, url: str, status: int, error: type[Exception]
) -> None:
    fake.failing = web.Response(status=status, text="no such luck")
    with pytest.raises(error, match=f"POST /subjects/.* with {status}: no such luck"):
        async with open_external_registry(url):
            pass


async def test_an_answer_that_is_not_json_is_a_registry_that_does_not_answer(
    fake: SchemaRegistryServer, url: str
) -> None:
    fake.failing = web.Response(text="<html>")
    with pytest.raises(Unavailable, match="does not answer"):
        async with open_external_registry(url):
            pass


async def test_a_registry_that_cannot_be_reached_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        async with open_external_registry("http://127.0.0.1:1"):
            pass


async def test_without_a_url_the_schemas_are_those_that_come_with_connectory() -> None:
    async with open_schemas(SchemaRegistrySettings()) as schemas:
        assert schemas is bundled_schemas()


async def test_the_settings_name_the_registry_and_its_user(fake: SchemaRegistryServer, url: str) -> None:
    settings = SchemaRegistrySettings(url=url, user="u", password=SecretStr("p"))

    async with open_schemas(settings) as schemas:
        assert schemas.latest(SUBJECT).id == fake.versions[SUBJECT][-1][0]
    assert fake.authorization == "Basic dTpw"


async def test_schemas_that_others_register_become_known_by_themselves(fake: SchemaRegistryServer, url: str) -> None:
    async with open_schemas(SchemaRegistrySettings(url=url), refresh_seconds=0.01) as schemas:
        before = schemas.versions(SUBJECT)
        fake.add(SUBJECT, newer_text())

        await until(lambda: schemas.versions(SUBJECT) == [*before, len(before) + 1])


async def test_schemas_stay_known_while_the_registry_fails(fake: SchemaRegistryServer, url: str) -> None:
    async with open_schemas(SchemaRegistrySettings(url=url), refresh_seconds=0.01) as schemas:
        fake.versions.clear()
        await until(lambda: fake.failures > 1)

        assert schemas.subjects() == bundled_schemas().subjects()


async def test_a_role_reads_and_writes_with_the_ids_of_the_registry(fake: SchemaRegistryServer, url: str) -> None:
    installation = await Installation().create_topics()
    settings = Settings(schema_registry=SchemaRegistrySettings(url=url))
    foundation = Foundation(settings=settings, log=installation.log, credentials=None)
    async with open_external_registry(url) as registry, owned(run_roles(foundation, [Role.AGGREGATE])):
        messages = Messages(registry.schemas)
        created = create(connector_type_id=".server-log", config={})
        command = messages.message(topics.CONNECTOR_COMMANDS, "c1", created, at=AT)
        await installation.write(command._replace(headers=(*command.headers, *reply_to(0))))
        (reply,) = await until(lambda: installation.log.records(topics.REPLIES))

    assert messages.decode(reply.value, CommandAccepted).version == 1
