"""The program's own log."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from connectory.infra.logging import LoggerServerLog, configure_logging


@pytest.fixture(autouse=True)
def root_logger_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    logging.captureWarnings(False)
    root.handlers, root.level = handlers, level


def test_a_line_on_a_terminal_is_one_line_whatever_the_message_holds() -> None:
    output = io.StringIO()
    configure_logging("info", json_lines=False, stream=output)
    logging.getLogger("connectory.gateway").warning("name %s", "a\nb\x1b[2J")
    assert output.getvalue().endswith("Z WARNING connectory.gateway: name a\\nb\\x1b[2J\n")


def test_elsewhere_each_entry_is_a_json_object() -> None:
    output = io.StringIO()
    configure_logging("info", stream=output)
    try:
        int("disk full")
    except ValueError:
        logging.getLogger("connectory").exception("stopped")
    entry = json.loads(output.getvalue())
    assert (entry["log.level"], entry["log.logger"], entry["message"]) == ("error", "connectory", "stopped")
    assert "disk full" in entry["error.stack_trace"]


def test_what_the_kafka_library_tries_is_left_to_the_roles_to_report() -> None:
    output = io.StringIO()
    configure_logging("debug", stream=output)
    logging.getLogger("aiokafka.consumer").warning("rebalancing")
    logging.getLogger("aiokafka.consumer").error("connection refused, trying again")
    assert output.getvalue() == ""


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("trace", logging.DEBUG),
        ("debug", logging.DEBUG),
        ("info", logging.INFO),
        ("warn", logging.WARNING),
        ("error", logging.ERROR),
        ("fatal", logging.CRITICAL),
    ],
)
def test_a_server_log_message_is_written_at_its_level(
    level: str, expected: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        LoggerServerLog().write(level, "100 % done")
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [(expected, "100 % done")]
