"""The history of connectors over HTTP: what was changed, how connectors were, and the way back."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectory.connector_types.contract import TypeSettings
from connectory.connector_types.registry import TypeRegistry
from connectory.connector_types.webhook import WEBHOOK
from connectory.infra.egress.hosts import AllowedHosts
from connectory.infra.topics import CONNECTOR_COMMANDS
from connectory.testing import ManualClock
from tests.http_gateway import CONNECTOR, HOOK, VIEWER, HttpGateway, http_gateway, reading_replies
from tests.unit.connectors import AT, import_
from tests.unit.installation import Installation
from tests.waiting import until_answer

OWN = "/api/connectory/connectors"
HISTORY, RESTORE = f"{OWN}/c1/history", f"{OWN}/c1/restore"
LOGIN = {"user": "ada", "password": "secret-word"}
SECURED: dict[str, Any] = {**HOOK, "config": {"url": "http://target/a", "hasAuth": True}, "secrets": LOGIN}


@pytest.fixture
async def gateway() -> AsyncIterator[HttpGateway]:
    """`c1` was created at noon as `hook`, and became `other` an hour later."""
    async with http_gateway(await Installation().create_topics()) as gateway:
        await reading_replies(gateway)
        await gateway.create("c1", **{key: value for key, value in SECURED.items() if key != "connector_type_id"})
        later(gateway)
        await save(gateway, name="other")
        yield gateway


def later(gateway: HttpGateway) -> None:
    clock = gateway.installation.clock
    assert isinstance(clock, ManualClock)
    clock.advance(timedelta(hours=1))


async def save(gateway: HttpGateway, **changes: Any) -> None:
    body = {key: value for key, value in {**SECURED, **changes}.items() if key != "connector_type_id"}
    answer = await gateway.call("PUT", f"{CONNECTOR}/c1", body)
    assert answer.status == 200, answer.body


async def name_of(gateway: HttpGateway, query: str = "") -> str | None:
    answer = await gateway.get(f"{CONNECTOR}/c1{query}")
    return answer.body["name"] if answer.status == 200 else None


def hour(number: float) -> str:
    return f"?as_of={(AT + timedelta(hours=number)).strftime('%Y-%m-%dT%H:%M:%SZ')}"


async def test_changes_are_listed_newest_first_with_who_and_when_and_what(gateway: HttpGateway) -> None:
    answer = await gateway.get(HISTORY)

    newest, oldest = answer.body["items"]
    assert (newest["change"], newest["version"], newest["by"]) == ("updated", 2, "admin")
    assert newest["diff"] == [{"path": ["name"], "before": "hook", "after": "other"}]
    assert (oldest["change"], oldest["@timestamp"], oldest["diff"]) == ("created", "2026-01-01T12:00:00.000Z", [])
    assert answer.body["next_cursor"] is None


async def test_no_secret_is_in_a_history(gateway: HttpGateway) -> None:
    answer = await gateway.get(HISTORY)

    assert b"secret-word" not in answer.raw
    assert b"secrets" not in answer.raw.replace(b"is_missing_secrets", b"")


async def test_a_history_is_told_page_by_page_also_of_a_deleted_connector(gateway: HttpGateway) -> None:
    await gateway.call("DELETE", f"{CONNECTOR}/c1")
    first = (await gateway.get(f"{HISTORY}?size=2")).body
    second = (await gateway.get(f"{HISTORY}?size=2&cursor={first['next_cursor']}")).body

    assert [item["change"] for item in first["items"]] == ["deleted", "updated"]
    assert ([item["change"] for item in second["items"]], second["next_cursor"]) == (["created"], None)


@pytest.mark.parametrize("path", [f"{OWN}/gone/history", f"/s/red{HISTORY}"])
async def test_there_is_no_history_of_what_never_was_in_the_space(gateway: HttpGateway, path: str) -> None:
    answer = await gateway.get(path)

    connector_id = path.split("/")[-2]
    assert (answer.status, answer.message) == (404, f"Saved object [action/{connector_id}] not found")


async def test_a_connector_is_shown_as_of_any_moment(gateway: HttpGateway) -> None:
    later(gateway)
    await gateway.call("DELETE", f"{CONNECTOR}/c1")

    names = [await name_of(gateway, hour(number)) for number in (-1, 0, 0.5, 1, 1.5, 2, 3)]

    assert names == [None, "hook", "hook", "other", "other", None, None]


@pytest.mark.parametrize("as_of", ["2026-01-02", "2026-01-01T12:30", "2026-01-01T13:30:00%2B01:00"])
async def test_a_moment_is_a_date_or_a_time_in_utc_unless_it_says_otherwise(gateway: HttpGateway, as_of: str) -> None:
    assert await name_of(gateway, f"?as_of={as_of}") in ("hook", "other")


async def test_lists_are_shown_as_of_any_moment_too(gateway: HttpGateway) -> None:
    await gateway.create("c2", name="another")

    then = (await gateway.get(f"{CONNECTOR}s{hour(0.5)}")).body
    now = (await gateway.get(f"{CONNECTOR}s{hour(9)}")).body

    assert [each["name"] for each in then] == ["hook"]
    assert now == (await gateway.get(f"{CONNECTOR}s")).body


@pytest.mark.parametrize("path", [f"{CONNECTOR}/c1", f"{CONNECTOR}s", "/internal/actions/connectors"])
async def test_what_is_no_moment_is_a_400(gateway: HttpGateway, path: str) -> None:
    answer = await gateway.get(f"{path}?as_of=yesterday", headers={"x-elastic-internal-origin": "tests"})

    text = "expected a date or date-time such as 2025-09-30T12:00:00.000Z but got [yesterday]"
    assert (answer.status, answer.message) == (400, f"[request query.as_of]: {text}")


async def test_a_version_is_restored_with_the_secrets_of_now(gateway: HttpGateway) -> None:
    answer = await gateway.call("POST", RESTORE, {"version": 1})

    assert answer.status == 200
    assert {**answer.body, "connector": answer.body["connector"]["name"]} == {
        "id": "c1",
        "version": 3,
        "restored_version": 1,
        "secrets": "kept",
        "connector": "hook",
    }
    assert await name_of(gateway) == "hook"
    newest = (await gateway.get(f"{HISTORY}?size=1")).body["items"][0]
    assert (newest["change"], newest["restored_version"]) == ("restored", 1)
    run = await gateway.call("POST", f"{CONNECTOR}/c1/_execute", {"params": {"body": "x"}})
    assert run.body["status"] == "ok"


async def test_a_deleted_connector_comes_back_and_says_that_its_secrets_are_missing(gateway: HttpGateway) -> None:
    await gateway.call("DELETE", f"{CONNECTOR}/c1")

    answer = await gateway.call("POST", RESTORE, {"version": 2})

    assert (answer.body["version"], answer.body["secrets"]) == (1, "missing")
    assert (await gateway.get(f"{CONNECTOR}/c1")).body["is_missing_secrets"] is True


async def test_a_connector_without_secrets_needs_none_when_it_comes_back(gateway: HttpGateway) -> None:
    await gateway.create("c2")
    await gateway.call("DELETE", f"{CONNECTOR}/c2")

    answer = await gateway.call("POST", f"{OWN}/c2/restore", {"version": 1})

    assert (answer.body["secrets"], answer.body["connector"]["is_missing_secrets"]) == ("not_needed", False)


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        (RESTORE, {"version": 9}, 404, "Saved object [action/c1] has no version 9"),
        (f"/s/red{RESTORE}", {"version": 1}, 404, "Saved object [action/c1] has no version 1"),
        (RESTORE, {}, 400, "[request body.version]: expected value of type [number] but got [undefined]"),
        (RESTORE, {"version": 0}, 400, "[request body.version]: Value must be equal to or greater than [1]."),
        (RESTORE, {"version": 1, "x": 1}, 400, "[request body.x]: definition for this key is missing"),
    ],
)
async def test_what_is_not_restored(gateway: HttpGateway, path: str, body: Any, status: int, message: str) -> None:
    answer = await gateway.call("POST", path, body)

    assert (answer.status, answer.message) == (status, message)


async def test_a_version_that_does_not_fit_the_secrets_of_now_is_not_restored() -> None:
    installation = await Installation().create_topics()
    wants_a_login = replace(WEBHOOK, check_connector=lambda config, given: _lack(config.has_auth, given.user))
    installation.registry = TypeRegistry([wants_a_login], settings=TypeSettings(hosts=AllowedHosts(["*"])))
    async with http_gateway(installation) as gateway:
        await reading_replies(gateway)
        await gateway.create("c1", config=SECURED["config"], secrets=LOGIN)
        await save(gateway, config={"url": "http://target/a", "hasAuth": False}, secrets={})
        answer = await gateway.call("POST", RESTORE, {"version": 1})

    assert (answer.status, answer.message) == (400, "error validating action type connector: user must be defined")


def _lack(has_auth: bool, user: str | None) -> str | None:
    return "user must be defined" if has_auth and user is None else None


async def test_a_version_of_another_type_is_not_restored(gateway: HttpGateway) -> None:
    command = import_(connector_type_id=".server-log", config={}, overwrite=True, is_missing_secrets=False)
    async with gateway.installation.log.writer() as writer:
        message = gateway.installation.messages.message(CONNECTOR_COMMANDS, "c1", command, at=AT)
        await writer.write([message])
    await until_answer(lambda: gateway.get(HISTORY), lambda answer: len(answer.body["items"]) == 3)

    answer = await gateway.call("POST", RESTORE, {"version": 1})

    types = 'version 1 is of the type ".webhook" and the connector is of the type ".server-log" now'
    assert (answer.status, answer.message) == (400, f"{types}: create one anew instead")


async def test_an_id_that_was_given_to_a_connector_elsewhere_is_not_taken_back(gateway: HttpGateway) -> None:
    await gateway.call("DELETE", f"{CONNECTOR}/c1")
    await gateway.call("POST", "/api/spaces/space", {"id": "red", "name": "red"})
    await gateway.create("c1", space="/s/red")

    answer = await gateway.call("POST", RESTORE, {"version": 1})

    assert (answer.status, answer.message) == (409, "Saved object [action/c1] conflict")


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("GET", HISTORY, None, "Unauthorized to get actions"),
        ("POST", RESTORE, {"version": 1}, "Unauthorized to update actions"),
        ("POST", f"{OWN}/c1/_dry_run", {"params": {}}, 'Unauthorized to execute a ".webhook" action'),
        ("POST", f"{OWN}/gone/_dry_run", {"params": {}}, "Unauthorized to execute actions"),
    ],
)
async def test_denials(gateway: HttpGateway, method: str, path: str, body: Any, message: str) -> None:
    answer = await gateway.call(method, path, body, auth=VIEWER)

    assert (answer.status, answer.message) == (403, message)
