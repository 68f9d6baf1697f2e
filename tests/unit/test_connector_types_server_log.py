"""`.server-log` writes one line."""

from collections.abc import Mapping
from typing import Any

from connectory.connector_types.contract import ServerLog, TypeSettings
from connectory.connector_types.registry import TypeRegistry
from connectory.domain.execution import Failed, Result, Succeeded
from connectory.infra.egress import AllowedHosts
from tests.connector_runs import run_action
from tests.fakes.server_log import BrokenServerLog, RecordingServerLog

types = TypeRegistry(settings=TypeSettings(hosts=AllowedHosts(["*"])))


async def run(params: Mapping[str, Any], server_log: ServerLog) -> Result:
    return await run_action(types, ".server-log", params, server_log=server_log)


async def test_a_message_is_written_at_its_level() -> None:
    log = RecordingServerLog()

    result = await run({"message": "hello", "level": "warn"}, log)

    assert (result, log.lines) == (Succeeded(), [("warn", "Server log: hello")])


async def test_the_level_is_info_unless_given_and_control_characters_are_removed() -> None:
    log = RecordingServerLog()

    await run({"message": "a\nb\x1b[31mc\x7f\x85é"}, log)

    assert log.lines == [("info", "Server log: ab[31mcé")]


async def test_a_log_that_cannot_be_written_fails_the_action() -> None:
    result = await run({"message": "hello"}, BrokenServerLog())

    assert result == Failed(message="error logging message", service_message="no space left")
