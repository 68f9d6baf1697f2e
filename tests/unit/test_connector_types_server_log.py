"""`.server-log` writes one line."""

from connectory.connector_types.contract import Run, ServerLog
from connectory.connector_types.schemas import Nothing
from connectory.connector_types.server_log import Params, execute
from connectory.domain.execution import Failed, Result, Succeeded
from connectory.infra.clock import utc_now
from tests.fakes.egress import FakeEgress
from tests.fakes.server_log import BrokenServerLog, RecordingServerLog


async def run(params: Params, server_log: ServerLog) -> Result:
    return await execute(
        Run(
            connector_id="c1",
            config=Nothing(),
            secrets=Nothing(),
            params=params,
            idempotency_key="r1",
            now=utc_now,
            egress=FakeEgress(),
            server_log=server_log,
        )
    )


async def test_a_message_is_written_at_its_level() -> None:
    log = RecordingServerLog()

    result = await run(Params(message="hello", level="warn"), log)

    assert (result, log.lines) == (Succeeded(), [("warn", "Server log: hello")])


async def test_the_level_is_info_unless_given_and_control_characters_are_removed() -> None:
    log = RecordingServerLog()

    await run(Params(message="a\nb\x1b[31mc\x7f\x85é"), log)

    assert log.lines == [("info", "Server log: ab[31mcé")]


async def test_a_log_that_cannot_be_written_fails_the_action() -> None:
    result = await run(Params(message="hello"), BrokenServerLog())

    assert result == Failed(message="error logging message", service_message="no space left")
