"""The audit log: which requests leave a line, and what is in it."""

import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData

from connectory.gateway import authorization
from connectory.gateway.audit import DENIED
from connectory.infra.logging import AUDIT_LOGGER, JsonLines, OneLine, configure_logging
from connectory.infra.settings import Settings
from tests.http_gateway import CONNECTOR, HOOK, VIEWER, HttpGateway, Users, http_gateway, reading_replies
from tests.saved_objects import import_, log
from tests.unit.installation import Installation

KEYS = "/api/connectory/api_keys"


class Lines(logging.Handler):
    """The lines of the audit log as they are written."""

    def __init__(self) -> None:
        super().__init__()
        self.raw: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.raw.append(JsonLines().format(record))

    def told(self) -> list[tuple[str, str, str, str, str]]:
        """Event, outcome, user, space and object of each line."""
        return [_told(json.loads(line)) for line in self.raw]


def _told(line: dict[str, Any]) -> tuple[str, str, str, str, str]:
    about = line["kibana"]
    subject = about.get("saved_object", {"type": "", "id": ""})
    told = f"{subject['type']} {subject['id']}".strip()
    return line["event"]["action"], line["event"]["outcome"], line["user"]["name"], about["space_id"], told


@pytest.fixture
def users() -> Users:
    return Users()


@pytest.fixture
async def gateway(users: Users) -> AsyncIterator[HttpGateway]:
    async with http_gateway(await Installation().create_topics(), users=users) as gateway:
        await reading_replies(gateway)
        yield gateway


@pytest.fixture
def lines(gateway: HttpGateway) -> Any:
    """From here on: what it takes to get the gateway going is left out."""
    handler, logger = Lines(), logging.getLogger(AUDIT_LOGGER)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)


async def test_changes_and_runs_are_written_down_with_who_where_and_what(gateway: HttpGateway, lines: Lines) -> None:
    await gateway.create("c1", space="/s/red")
    await gateway.call("PUT", f"/s/red{CONNECTOR}/c1", {"name": "b", "config": HOOK["config"]})
    await gateway.call("POST", f"/s/red{CONNECTOR}/c1/_execute", {"params": {"body": "x"}})
    await gateway.call("DELETE", f"/s/red{CONNECTOR}/c1")
    await gateway.call("DELETE", f"{CONNECTOR}/c1")

    assert lines.told() == [
        ("connector_create", "success", "admin", "red", "action c1"),
        ("connector_update", "success", "admin", "red", "action c1"),
        ("connector_execute", "success", "admin", "red", "action c1"),
        ("connector_delete", "success", "admin", "red", "action c1"),
        ("connector_delete", "failure", "admin", "default", "action c1"),
    ]


async def test_a_connector_that_gets_its_id_from_us_is_named_by_it(gateway: HttpGateway, lines: Lines) -> None:
    created = await gateway.create()

    assert lines.told() == [("connector_create", "success", "admin", "default", f"action {created.body['id']}")]


async def test_a_run_that_is_refused_for_its_form_is_written_down_too(gateway: HttpGateway, lines: Lines) -> None:
    await gateway.call("POST", f"{CONNECTOR}/c1/_execute", {})

    assert lines.told() == [("connector_execute", "failure", "admin", "default", "action c1")]


async def test_each_connector_of_a_submission_has_its_line(gateway: HttpGateway, lines: Lines) -> None:
    requests: list[Any] = [{"connector_id": each, "params": {}} for each in ("c1", "c2", "c1")]
    await gateway.call("POST", "/api/connectory/action_requests", {"requests": requests})

    assert [line[4] for line in lines.told()] == ["action c1", "action c2"]


async def test_reads_are_written_down_only_when_they_are_denied(gateway: HttpGateway, lines: Lines) -> None:
    await gateway.get("/api/actions/connectors")
    await gateway.get("/api/actions/connectors", auth=VIEWER)
    await gateway.get(f"{CONNECTOR}/c1", auth=VIEWER)

    assert lines.told() == [
        ("connector_find", "failure", "viewer", "default", ""),
        ("connector_get", "failure", "viewer", "default", "action c1"),
    ]


async def test_a_denial_that_is_no_matter_of_rights_is_written_down_too(gateway: HttpGateway, lines: Lines) -> None:
    settings = Settings().security.model_copy(update={"audit_reads": True})
    async with with_security(settings) as other:
        await other.get("/api/actions/connectors")

    assert lines.told() == [("connector_find", "success", "admin", "default", "")]


async def test_switched_off_it_is_silent(gateway: HttpGateway, lines: Lines) -> None:
    async with with_security(Settings().security.model_copy(update={"audit_enabled": False})) as other:
        await other.get("/api/actions/connectors", auth=VIEWER)

    assert lines.raw == []


def with_security(security: Any) -> Any:
    installation = Installation()
    return http_gateway(installation, settings=Settings().model_copy(update={"security": security}), roles=False)


async def test_a_key_is_named_beside_its_owner(gateway: HttpGateway, lines: Lines, users: Users) -> None:
    key = (await gateway.call("POST", KEYS, {"name": "ci"}, auth=users.add("ann", "editor"))).body
    await gateway.call("DELETE", f"{CONNECTOR}/c1", auth=f"ApiKey {key['encoded']}")

    made, used = (json.loads(line) for line in lines.raw)
    assert made["kibana"]["saved_object"] == {"type": "api_key", "id": key["id"]}
    assert used["user"] == {
        "name": "ann",
        "realm": "file",
        "roles": ["editor"],
        "api_key": {"id": key["id"], "name": "ci"},
    }


async def test_no_secret_and_no_config_is_ever_in_a_line(gateway: HttpGateway, lines: Lines) -> None:
    config = {"url": "http://hidden/url", "hasAuth": True}
    await gateway.create("c1", config=config, secrets={"user": "u", "password": "hidden"})
    await gateway.call("POST", f"{CONNECTOR}/c1/_execute", {"params": {"body": "hidden"}})
    key = (await gateway.call("POST", KEYS, {"name": "ci"})).body

    assert len(lines.raw) == 3
    assert not any("hidden" in line or key["api_key"] in line or "p\\u00e4ss" in line for line in lines.raw)


def test_the_reference_names_every_event() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/audit-log.md").read_text(encoding="utf-8")
    operations = [each for each in vars(authorization).values() if isinstance(each, authorization.Operation)]
    events = {each.event for each in operations} | {DENIED, authorization.create_action("x").event}

    assert [event for event in sorted(events) if f"`{event}`" not in page] == []


@pytest.mark.parametrize("formatter", [OneLine(), JsonLines()])
def test_a_line_is_json_on_a_terminal_too(formatter: logging.Formatter) -> None:
    record = logging.LogRecord(AUDIT_LOGGER, logging.INFO, "", 0, "text", (), None)
    record.__dict__.update(audit_entry={"event": {"action": "connector_create"}})

    line = json.loads(formatter.format(record))
    assert (line["log.logger"], line["event"]) == (AUDIT_LOGGER, {"action": "connector_create"})


def test_it_is_written_whatever_level_the_log_has() -> None:
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    try:
        configure_logging("error")
        assert logging.getLogger(AUDIT_LOGGER).isEnabledFor(logging.INFO)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


async def test_each_connector_that_is_imported_has_its_line(gateway: HttpGateway, lines: Lines) -> None:
    await gateway.create("c1")
    lines.raw.clear()
    file = FormData()
    exported = await gateway.call("POST", "/api/saved_objects/_export", {"type": ["action"]})
    file.add_field("file", exported.raw, filename="export.ndjson")
    imported = await gateway.call("POST", "/s/red/api/saved_objects/_import", data=file)

    new_id = imported.body["successResults"][0]["destinationId"]
    assert lines.told() == [("saved_object_import", "success", "admin", "red", f"action {new_id}")]


async def test_connectors_of_an_import_that_is_held_up_have_no_line(gateway: HttpGateway, lines: Lines) -> None:
    await gateway.create("c1")
    lines.raw.clear()

    answer = await import_(gateway, log("c1"), log("c2"))

    assert [each["id"] for each in answer.body["successResults"]] == ["c2"]
    assert lines.told() == [("saved_object_import", "success", "admin", "default", "")]
