"""The sub-feature Endpoint Security: running connectors of its types takes a privilege of its own, by every way."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from connectory.connector_types.contract import TypeSettings
from connectory.connector_types.registry import TypeRegistry
from connectory.connector_types.server_log import SERVER_LOG
from connectory.domain.privileges import granted
from connectory.infra import topics
from connectory.infra.egress import AllowedHosts
from connectory.infra.role_levels import feature_rights
from tests.dead_letters import MESSAGES, letter, request
from tests.http_gateway import CONNECTOR, Answer, HttpGateway, Users, http_gateway, reading_replies
from tests.unit.installation import Installation
from tests.waiting import until_answer

GUARDED = replace(SERVER_LOG, id=".crowdstrike", sub_feature="endpointSecurity")
REQUESTS = "/api/connectory/action_requests"
LETTERS = "/api/connectory/dead_letters"
DENIED = (403, 'Unauthorized to execute a ".crowdstrike" action')
HELLO = {"params": {"message": "hello"}}


@pytest.fixture
def users() -> Users:
    users = Users()
    for name, levels in {
        "minimal": ["minimal_all"],
        "both": ["minimal_read", "endpoint_security_execute"],
        "only": ["endpoint_security_execute"],
    }.items():
        rights = [right for level in levels for right in feature_rights("actions", level)]
        users.roles[name] = granted({"default"}, rights)
    return users


@pytest.fixture
async def gateway(users: Users) -> AsyncIterator[HttpGateway]:
    installation = await Installation().create_topics()
    settings = TypeSettings(hosts=AllowedHosts(["*"]))
    installation.registry = TypeRegistry([SERVER_LOG, GUARDED], settings=settings)
    async with http_gateway(installation, users=users) as gateway:
        await reading_replies(gateway)
        for connector_id, type_id in (("plain", ".server-log"), ("guarded", ".crowdstrike")):
            await gateway.create(connector_id, connector_type_id=type_id, config={})
        yield gateway


def outcome(answer: Answer) -> tuple[int, str | None]:
    return answer.status, answer.message if answer.status >= 400 else None


def requests(*connector_ids: str, **params: str) -> dict[str, Any]:
    return {"requests": [{"connector_id": each, "params": params} for each in connector_ids]}


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("viewer", DENIED),
        ("editor", (200, None)),
        ("minimal", DENIED),
        ("both", (200, None)),
        ("only", DENIED),
    ],
)
async def test_a_direct_run_takes_the_privilege(
    gateway: HttpGateway, users: Users, role: str, expected: tuple[int, str | None]
) -> None:
    path = f"{CONNECTOR}/guarded/_execute"
    assert outcome(await gateway.call("POST", path, HELLO, auth=users.add("ann", role))) == expected


async def test_connectors_of_other_types_do_not_take_it(gateway: HttpGateway, users: Users) -> None:
    path = f"{CONNECTOR}/plain/_execute"
    assert (await gateway.call("POST", path, HELLO, auth=users.add("ann", "viewer"))).status == 200


async def test_of_requests_that_are_handed_in_together_each_takes_it(gateway: HttpGateway, users: Users) -> None:
    viewer = users.add("ann", "viewer")

    async def submitted(*connector_ids: str, space: str = "") -> tuple[int, str | None]:
        body = requests(*connector_ids, message="hello")
        return outcome(await gateway.call("POST", space + REQUESTS, body, auth=viewer))

    assert await submitted("plain", "guarded") == DENIED
    assert await submitted("plain", "unknown") == (202, None)
    assert await submitted("guarded", space="/s/red") == (202, None)


async def test_repeating_a_dead_letter_takes_it(gateway: HttpGateway, users: Users) -> None:
    given_up = letter(of=request(connector_id="guarded"))
    await gateway.installation.write(
        MESSAGES.message(topics.ACTION_DEAD_LETTERS, None, given_up, at=given_up.at, partition=0)
    )
    await until_answer(lambda: gateway.get(LETTERS), lambda answer: len(answer.body["items"]) == 1)
    redrive = f"{LETTERS}/_redrive"

    assert outcome(await gateway.call("POST", redrive, {"filter": {}}, auth=users.add("ann", "viewer"))) == DENIED
    allowed = await gateway.call("POST", redrive, {"filter": {}}, auth=users.add("bob", "editor"))
    assert (allowed.status, allowed.body["redriven"]) == (200, 1)


async def test_trying_out_an_action_takes_it(gateway: HttpGateway, users: Users) -> None:
    path = "/api/connectory/connectors/guarded/_dry_run"
    assert outcome(await gateway.call("POST", path, HELLO, auth=users.add("ann", "viewer"))) == DENIED
