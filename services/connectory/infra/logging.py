"""Set-up of the program's own log: one line an entry, readable on a terminal, JSON elsewhere."""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, Literal, TextIO, TypeAlias

from connectory.domain.execution import iso_millis

LogLevel: TypeAlias = Literal["debug", "info", "warning", "error", "critical"]

AUDIT_LOGGER: Final = "connectory.audit"
"""Its entries are JSON on a terminal too, and are written whatever level the rest of the log has."""

_QUIET: Final = {"aiokafka": logging.CRITICAL, "asyncio": logging.WARNING, "aiohttp.access": logging.WARNING}
"""Libraries whose messages tell an operator nothing: aiokafka reports each try to reach a broker that is away several
times a second, and what comes of it is reported by the roles."""

_AUDIT_ENTRY: Final = "audit_entry"

_SERVER_LOG_LEVELS: Final = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
}


def configure_logging(level: LogLevel = "info", json_lines: bool | None = None, stream: TextIO | None = None) -> None:
    """Send everything of `level` and above to the stream (standard error).

    `json_lines` None: JSON unless the stream is a terminal.
    """
    output: TextIO = stream or sys.stderr
    as_json = not output.isatty() if json_lines is None else json_lines
    handler = logging.StreamHandler(output)
    handler.setFormatter(JsonLines() if as_json else OneLine())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)
    logging.getLogger(AUDIT_LOGGER).setLevel(logging.INFO)
    for name, at_least in _QUIET.items():
        logging.getLogger(name).setLevel(at_least)


def audit_entry(entry: Mapping[str, object]) -> dict[str, object]:
    """What a log call takes as its `extra`, so that this is the line, and not its message."""
    return {_AUDIT_ENTRY: entry}


class OneLine(logging.Formatter):
    """`2026-01-31T12:00:00.000Z INFO connectory.gateway: text`, and the traceback of an exception below it."""

    def format(self, record: logging.LogRecord) -> str:
        if hasattr(record, _AUDIT_ENTRY):
            return JsonLines().format(record)
        line = f"{_timestamp(record)} {record.levelname} {record.name}: {_escaped(record.getMessage())}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonLines(logging.Formatter):
    """One JSON object a line, with the field names of the Elastic Common Schema."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "@timestamp": _timestamp(record),
            "log.level": record.levelname.lower(),
            "log.logger": record.name,
            **getattr(record, _AUDIT_ENTRY, {"message": record.getMessage()}),
        }
        if record.exc_info:
            entry["error.stack_trace"] = self.formatException(record.exc_info)
        return json.dumps(entry)


class LoggerServerLog:
    """`contract.ServerLog` on the program's log."""

    def __init__(self) -> None:
        self._log = logging.getLogger("connectory.server_log")

    def write(self, level: str, message: str) -> None:
        self._log.log(_SERVER_LOG_LEVELS[level], "%s", message)


def _timestamp(record: logging.LogRecord) -> str:
    return iso_millis(datetime.fromtimestamp(record.created, UTC))


def _escaped(message: str) -> str:
    """Control characters made visible: a message may repeat what a stranger sent, and must stay one line."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in message)
