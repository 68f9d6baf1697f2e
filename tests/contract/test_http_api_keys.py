"""API keys over HTTP: made, used, listed, revoked, and never worth more than their owner."""

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectory.domain.api_keys import ApiKey
from connectory.domain.errors import Unavailable
from connectory.domain.privileges import Right, granted
from connectory.gateway.api_keys import MOST_KEYS, TOO_MANY_TEXT
from connectory.infra.topics import API_KEYS
from connectory.testing.clock import ManualClock
from tests.http_gateway import ADMIN, Answer, HttpGateway, Users, http_gateway, reading_replies
from tests.unit.installation import Installation

KEYS = "/api/connectory/api_keys"
CONNECTORS = "/api/actions/connectors"


@pytest.fixture
def users() -> Users:
    return Users()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def away() -> set[str]:
    """The operations of the broker that fail."""
    return set()


@pytest.fixture
async def gateway(users: Users, clock: ManualClock, away: set[str]) -> AsyncIterator[HttpGateway]:
    async def broker(operation: str) -> None:
        if operation in away:
            raise Unavailable("The broker cannot be reached.")

    installation = await Installation(before=broker, clock=clock).create_topics()
    async with http_gateway(installation, users=users) as gateway:
        await reading_replies(gateway)
        yield gateway


async def made(gateway: HttpGateway, auth: str = ADMIN, **body: Any) -> dict[str, Any]:
    answer = await gateway.call("POST", KEYS, {"name": "ci", **body}, auth=auth)
    assert answer.status == 200, answer.body
    key: dict[str, Any] = answer.body
    return key


def sent(key: dict[str, Any]) -> str:
    """The `Authorization` header that the key is sent in."""
    return f"ApiKey {key['encoded']}"


async def listed(gateway: HttpGateway, auth: str) -> list[str]:
    return [each["id"] for each in (await gateway.get(KEYS, auth=auth)).body["items"]]


async def test_a_key_is_shown_once_and_logs_its_owner_in(gateway: HttpGateway) -> None:
    key = await made(gateway)

    assert key.keys() == {"id", "name", "api_key", "encoded"}
    assert base64.b64decode(key["encoded"]).decode() == f"{key['id']}:{key['api_key']}"
    assert (await gateway.get(CONNECTORS, auth=sent(key))).status == 200


async def test_only_the_hash_of_the_secret_is_on_the_log(gateway: HttpGateway) -> None:
    key = await made(gateway)

    [record] = gateway.installation.log.records(API_KEYS)
    assert key["api_key"].encode() not in (record.value or b"")
    assert key["api_key"] not in (await gateway.get(KEYS)).raw.decode()


@pytest.mark.parametrize(
    "given", ["no base64", "aWQ6", base64.b64encode(b"unknown:secret").decode(), base64.b64encode(b"id").decode()]
)
async def test_an_unknown_or_malformed_key_is_401(gateway: HttpGateway, given: str) -> None:
    answer = await gateway.get(CONNECTORS, auth=f"ApiKey {given}")

    assert (answer.status, answer.message) == (401, "Unauthorized")


async def test_the_id_with_another_secret_is_401(gateway: HttpGateway) -> None:
    first, second = await made(gateway), await made(gateway)
    mixed = base64.b64encode(f"{first['id']}:{second['api_key']}".encode()).decode()

    assert (await gateway.get(CONNECTORS, auth=f"ApiKey {mixed}")).status == 401


async def test_an_expired_key_is_401_and_still_listed(gateway: HttpGateway, clock: ManualClock) -> None:
    key = await made(gateway, expiration="30d")
    clock.advance(timedelta(days=30))

    assert (await gateway.get(CONNECTORS, auth=sent(key))).status == 401
    assert [each["expiration"] for each in (await gateway.get(KEYS)).body["items"]] == [key["expiration"]]


async def test_a_revoked_key_is_401_at_once_and_listed_no_more(gateway: HttpGateway) -> None:
    key = await made(gateway)
    revoked = await gateway.call("DELETE", f"{KEYS}/{key['id']}")

    assert (revoked.status, revoked.raw) == (204, b"")
    assert (await gateway.get(CONNECTORS, auth=sent(key))).status == 401
    assert await listed(gateway, ADMIN) == []
    again = await gateway.call("DELETE", f"{KEYS}/{key['id']}")
    assert (again.status, again.message) == (404, f"API key [{key['id']}] not found")


async def test_a_key_made_on_one_gateway_is_taken_by_another_and_its_revocation_too(
    gateway: HttpGateway, users: Users
) -> None:
    key = await made(gateway)
    async with http_gateway(gateway.installation, users=users, roles=False) as other:
        assert (await other.get(KEYS, auth=sent(key))).status == 200
        await gateway.call("DELETE", f"{KEYS}/{key['id']}")
        assert (await other.get(KEYS, auth=sent(key))).status == 401


async def test_while_the_broker_is_away_no_key_is_good_for_anything(gateway: HttpGateway, away: set[str]) -> None:
    key = await made(gateway)
    away.add("end-offset")

    answer = await gateway.get(CONNECTORS, auth=sent(key))
    status = await gateway.get("/api/status", auth=sent(key))

    assert answer.status == 503
    assert status.body.keys() == {"status"}


async def test_later_changes_of_the_owners_roles_do_not_widen_a_key(gateway: HttpGateway, users: Users) -> None:
    key = await made(gateway, users.add("ann", "viewer"))
    users.add("ann", "superuser")

    assert (await deleted(gateway, sent(key))).status == 403


async def test_a_key_never_holds_more_than_its_owner_does_now(gateway: HttpGateway, users: Users) -> None:
    key = await made(gateway, users.add("ann", "editor"))
    assert (await deleted(gateway, sent(key))).status == 404
    users.add("ann", "viewer")

    assert (await deleted(gateway, sent(key))).status == 403
    assert (await gateway.get(CONNECTORS, auth=sent(key))).status == 200


async def test_removing_the_owner_disables_a_key(gateway: HttpGateway, users: Users) -> None:
    key = await made(gateway, users.add("ann", "editor"))
    del users.users["ann"]

    assert (await gateway.get(CONNECTORS, auth=sent(key))).status == 401


async def test_roles_given_at_creation_narrow_a_key_and_never_widen_it(gateway: HttpGateway, users: Users) -> None:
    users.roles["red only"] = granted({"red"}, Right)
    key = await made(gateway, users.add("ann", "editor"), roles=["viewer", "red only"])

    assert (await deleted(gateway, sent(key))).status == 403
    assert (await deleted(gateway, sent(key), space="/s/red")).status == 404
    assert (await gateway.call("DELETE", "/api/spaces/space/red", auth=sent(key))).status == 403


async def test_the_roles_of_the_file_are_asked_for_keys_of_token_users(gateway: HttpGateway, users: Users) -> None:
    users.roles["ops"] = granted({"*"}, {Right.GET})
    key = await made(gateway, "Bearer carl:ops")
    assert (await gateway.get(CONNECTORS, auth=sent(key))).status == 200
    del users.roles["ops"]

    assert (await gateway.get(CONNECTORS, auth=sent(key))).status == 403


async def test_users_see_and_revoke_their_own_keys_and_a_superuser_all(gateway: HttpGateway, users: Users) -> None:
    ann, bob = users.add("ann", "viewer"), users.add("bob")
    of_ann, of_bob = await made(gateway, ann), await made(gateway, bob)
    of_carl = await made(gateway, "Bearer ann:viewer")

    assert await listed(gateway, ann) == [of_ann["id"]]
    assert await listed(gateway, ADMIN) == [each["id"] for each in (of_ann, of_bob, of_carl)]
    denied = await gateway.call("DELETE", f"{KEYS}/{of_ann['id']}", auth=bob)
    assert (denied.status, denied.message) == (403, "Forbidden")
    assert (await gateway.call("DELETE", f"{KEYS}/{of_ann['id']}", auth=ADMIN)).status == 204


async def test_a_key_makes_no_keys_and_sees_and_revokes_only_itself(gateway: HttpGateway, users: Users) -> None:
    ann = users.add("ann", "editor")
    key, other = await made(gateway, ann), await made(gateway, ann)

    refused = await gateway.call("POST", KEYS, {"name": "child"}, auth=sent(key))
    assert (refused.status, refused.message) == (403, "Unauthorized to create an API key with an API key")
    assert await listed(gateway, sent(key)) == [key["id"]]
    assert (await gateway.call("DELETE", f"{KEYS}/{other['id']}", auth=sent(key))).status == 403
    assert (await gateway.call("DELETE", f"{KEYS}/{key['id']}", auth=sent(key))).status == 204


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "[request body.name]: expected value of type [string] but got [undefined]"),
        ({"name": " "}, "[request body.name]: value '' is not valid"),
        (
            {"name": "a" * 257},
            "[request body.name]: value has length [257] but it must have a maximum length of [256].",
        ),
        ({"name": "a", "expiration": "soon"}, "[request body.expiration]: value must be a duration such as 500ms"),
        ({"name": "a", "expiration": "0d"}, "[request body.expiration]: value must be longer than nothing"),
        ({"name": "a", "roles": []}, "[request body.roles]: array size is [0], but cannot be smaller than [1]"),
        ({"name": "a", "roles": ["viewer", "ops"]}, "[request body.roles.1]: there is no role [ops]"),
        ({"name": "a", "role": "viewer"}, "[request body.role]: definition for this key is missing"),
    ],
)
async def test_what_a_new_key_must_be_like(gateway: HttpGateway, body: Any, message: str) -> None:
    answer = await gateway.call("POST", KEYS, body)

    assert answer.status == 400
    assert answer.message.startswith(message)


async def test_an_undecodable_record_ends_the_key_under_its_id(gateway: HttpGateway) -> None:
    key = await made(gateway)
    gateway.installation.log.append_raw(API_KEYS, 0, b"no record", key=key["id"].encode())

    assert (await gateway.get(CONNECTORS, auth=sent(key))).status == 401


async def deleted(gateway: HttpGateway, auth: str, space: str = "") -> Answer:
    """403 when the caller may not delete, else 404."""
    return await gateway.call("DELETE", f"{space}/api/actions/connector/none", auth=auth)


async def test_the_number_of_keys_of_one_owner_is_bounded(gateway: HttpGateway, users: Users) -> None:
    ann = users.add("ann", "viewer")
    await made(gateway, ann)
    messages = gateway.installation.messages
    [record] = gateway.installation.log.records(API_KEYS)
    kept = messages.decode(record.value, ApiKey)
    more = [replace(kept, key_id=str(number)) for number in range(MOST_KEYS - 1)]
    await gateway.installation.write(
        *(messages.message(API_KEYS, key.key_id, key, at=key.created_at, partition=0) for key in more)
    )

    refused = await gateway.call("POST", KEYS, {"name": "one more"}, auth=ann)
    assert (refused.status, refused.message) == (400, TOO_MANY_TEXT)
    assert (await gateway.call("POST", KEYS, {"name": "of another"})).status == 200
