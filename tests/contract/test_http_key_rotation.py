"""Rotation of the encryption key over HTTP, and connectors that no key opens any more."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest

from connectory.connector_types.contract import OutgoingRequest, OutgoingResponse
from connectory.gateway.sealed_connectors import SealedConnectors, Survey
from connectory.infra.crypto import KeyRing, SecretsVault
from tests.http_gateway import CONNECTOR, VIEWER, HttpGateway, http_gateway, reading_replies
from tests.unit.installation import Installation
from tests.waiting import until, until_answer

ROTATE = "/api/encrypted_saved_objects/_rotate_key"
OLD, NEW, LOST = "o" * 32, "n" * 32, "l" * 32
LOGIN = {"user": "ada", "password": "secret-word"}
SECURED: dict[str, Any] = {"name": "safe", "config": {"url": "http://target/a", "hasAuth": True}, "secrets": LOGIN}
RUN = {"params": {"body": "hello"}}
NOTHING = {"total": 0, "successful": 0, "failed": 0}


def keys(primary: str | None, *decryption_only: str) -> SecretsVault:
    return SecretsVault(KeyRing(primary, decryption_only))


@pytest.fixture
async def gateway() -> AsyncIterator[HttpGateway]:
    """`lost` is under a key that nobody has, `old-1` and `old-2` are under the old one, `open` has no secrets."""
    installation = await Installation().create_topics()
    await saved_under(LOST, installation, "lost")
    await saved_under(OLD, installation, "old-1", "old-2")
    installation.vault = keys(NEW, OLD)
    async with http_gateway(installation) as gateway:
        await reading_replies(gateway)
        await gateway.create("open")
        # Its projector reads from the start what was saved by way of the other gateways.
        await until_answer(lambda: gateway.get(f"{CONNECTOR}s"), lambda answer: len(answer.body) == 4)
        yield gateway


async def saved_under(key: str, installation: Installation, *connector_ids: str) -> None:
    """Connectors as they were saved when that key was the primary one."""
    installation.vault = keys(key)
    async with http_gateway(installation) as gateway:
        await reading_replies(gateway)
        for connector_id in connector_ids:
            await gateway.create(connector_id, **SECURED)


async def survey(gateway: HttpGateway, vault: SecretsVault) -> tuple[int, int, int]:
    """How many connectors there are, under a key that only opens, and under an unknown one."""
    found = await SealedConnectors(gateway.installation.log, gateway.installation.messages, vault).survey()
    return found.total, len(found.on_old_key), found.on_unknown_key


async def test_connectors_on_an_old_key_are_put_under_the_primary_one_and_the_others_are_passed_over(
    gateway: HttpGateway,
) -> None:
    answer = await gateway.call("POST", ROTATE)

    assert (answer.status, answer.body) == (200, {"total": 4, "successful": 2, "failed": 0})
    assert await survey(gateway, keys(NEW, OLD)) == (4, 0, 1)
    assert (await gateway.call("POST", ROTATE)).body == {"total": 4, "successful": 0, "failed": 0}


async def test_the_old_key_can_be_removed_after_a_rotation(gateway: HttpGateway) -> None:
    await gateway.call("POST", f"{ROTATE}?batch_size=1&type=action")

    installation = gateway.installation
    installation.vault = keys(NEW)
    async with installation.executor():
        await installation.submit("r1", connector_id="old-1")
        (final,) = await installation.final_outcomes(1)

    assert final.outcome == "success"


async def test_a_rotation_bumps_the_version_and_the_time_and_is_in_nobodys_way(gateway: HttpGateway) -> None:
    before = gateway.installation.states()["old-1"]
    await gateway.call("POST", ROTATE)
    after = gateway.installation.states()["old-1"]

    assert (after.version, after.updated_by) == (before.version + 1, "admin")
    assert after.updated_at >= before.updated_at
    assert after.secrets.ciphertexts == before.secrets.ciphertexts
    assert (await gateway.get(f"{CONNECTOR}/old-1")).body["is_missing_secrets"] is False


@pytest.mark.parametrize("query", ["type=alert", "type=alert&batch_size=7"])
async def test_of_an_unknown_type_there_is_nothing(gateway: HttpGateway, query: str) -> None:
    answer = await gateway.call("POST", f"{ROTATE}?{query}")

    assert (answer.status, answer.body) == (200, NOTHING)
    assert await survey(gateway, keys(NEW, OLD)) == (4, 2, 1)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("batch_size=0", "[request query.batch_size]: Value must be equal to or greater than [1]."),
        ("batch_size=10001", "[request query.batch_size]: Value must be equal to or lower than [10000]."),
        ("batch_size=x", "[request query.batch_size]: expected value of type [number] but got [string]"),
        ("size=1", "[request query.size]: definition for this key is missing"),
    ],
)
async def test_a_query_that_does_not_fit_is_a_400(gateway: HttpGateway, query: str, message: str) -> None:
    answer = await gateway.call("POST", f"{ROTATE}?{query}", auth=VIEWER)

    assert (answer.status, answer.message) == (400, message)


async def test_only_superusers_rotate(gateway: HttpGateway) -> None:
    answer = await gateway.call("POST", ROTATE, auth=VIEWER)

    assert (answer.status, answer.body["error"]) == (403, "Forbidden")


async def test_without_old_keys_there_is_nothing_to_rotate_from() -> None:
    async with http_gateway(await Installation().create_topics()) as gateway:
        answer = await gateway.call("POST", f"{ROTATE}?type=alert")

    text = (
        "Kibana is not configured to support encryption key rotation. Update `kibana.yml` to include "
        "`xpack.encryptedSavedObjects.keyRotation.decryptionOnlyKeys` to rotate your encryption keys."
    )
    assert (answer.status, answer.message) == (400, text)


async def test_without_a_key_nothing_is_rotated() -> None:
    installation = await Installation().create_topics()
    installation.vault = keys(None, OLD)
    async with http_gateway(installation) as gateway:
        answer = await gateway.call("POST", ROTATE)

    assert (answer.status, answer.message[:32]) == (500, "Unable to create actions client ")


async def test_one_rotation_runs_at_a_time(gateway: HttpGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, goes_on, unheld = asyncio.Event(), asyncio.Event(), SealedConnectors.survey

    async def first_one_held(connectors: SealedConnectors) -> Survey:
        if not begun.is_set():
            begun.set()
            await goes_on.wait()
        return await unheld(connectors)

    monkeypatch.setattr(SealedConnectors, "survey", first_one_held)
    first = asyncio.create_task(gateway.call("POST", ROTATE))
    await until(begun.is_set)
    others = [await gateway.call("POST", ROTATE) for _ in range(2)]
    goes_on.set()

    assert ((await first).status, [answer.status for answer in others]) == (200, [429, 429])
    assert others[0].body == {
        "statusCode": 429,
        "error": "Too Many Requests",
        "message": "Encryption key rotation is in progress already. Please wait until it is completed and try again.",
    }


async def submit_to_both(gateway: HttpGateway, numbers: Iterable[int]) -> None:
    for number in numbers:
        await gateway.installation.submit(f"a{number}", connector_id="old-1")
        await gateway.installation.submit(f"b{number}", connector_id="old-2")


async def test_no_execution_fails_while_keys_are_rotated(gateway: HttpGateway) -> None:
    async def takes_its_time(request: OutgoingRequest) -> OutgoingResponse:
        await asyncio.sleep(0)
        return OutgoingResponse(status=200, reason="OK", headers={}, body=b"")

    gateway.installation.target.answer = takes_its_time
    await submit_to_both(gateway, range(10))
    rotating = asyncio.create_task(gateway.call("POST", f"{ROTATE}?batch_size=1"))
    await submit_to_both(gateway, range(10, 40))
    finals = await gateway.installation.final_outcomes(80)

    assert (await rotating).body["successful"] == 2
    assert {final.outcome for final in finals} == {"success"}
    assert {final.connector_version for final in finals} <= {1, 2}


async def test_a_connector_that_no_key_opens_is_listed_and_fails_alone(
    gateway: HttpGateway, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        direct = await gateway.call("POST", f"{CONNECTOR}/lost/_execute", RUN)
    names = {each["id"]: each["is_missing_secrets"] for each in (await gateway.get(f"{CONNECTOR}s")).body}
    other = await gateway.call("POST", f"{CONNECTOR}/old-1/_execute", RUN)

    assert (direct.status, other.body["status"]) == (500, "ok")
    assert 'Failed to decrypt "secrets" attribute: ' in caplog.text
    assert names == {"lost": False, "old-1": False, "old-2": False, "open": False}


async def test_an_update_with_secrets_mends_a_connector_that_no_key_opens(gateway: HttpGateway) -> None:
    await gateway.call("PUT", f"{CONNECTOR}/lost", SECURED)

    answer = await gateway.call("POST", f"{CONNECTOR}/lost/_execute", RUN)

    assert answer.body["status"] == "ok"
    assert await survey(gateway, keys(NEW, OLD)) == (4, 2, 0)


async def test_a_queued_run_through_it_says_what_is_wrong(gateway: HttpGateway) -> None:
    await gateway.installation.submit("r1", connector_id="lost", max_attempts=1)

    (final,) = await gateway.installation.final_outcomes(1)

    assert final.error == 'Unable to decrypt attribute "secrets"; retry: true'
