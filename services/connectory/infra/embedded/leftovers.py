"""Servers that outlived the process that started them: recorded by pid and start time, ended by the next start."""

import asyncio
import json
import logging
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from signal import Signals
from typing import Final

import psutil

from connectory.infra.embedded.errors import CannotProvision, writing_to

# Start times are derived from the boot time, which moves a little when the clock is set.
START_TIME_TOLERANCE_SECONDS: Final = 2.0
STOP_SECONDS: Final = 30.0
KILL_SECONDS: Final = 10.0
DESERTED_SECONDS: Final = 10.0
DESERTED_POLL_SECONDS: Final = 0.05

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """Which process a server is. `started_at` is Unix time in seconds; together with the pid it names one process."""

    pid: int
    started_at: float
    port: int


def record_process(path: Path, pid: int, port: int) -> None:
    """Write down a process that runs now. It stays written when the process ends, for the port's sake."""
    with suppress(psutil.NoSuchProcess), writing_to(path):
        record = ProcessRecord(pid, psutil.Process(pid).create_time(), port)
        unfinished = path.with_suffix(".new")
        unfinished.write_text(json.dumps(asdict(record)) + "\n")
        unfinished.replace(path)


def read_record(path: Path) -> ProcessRecord | None:
    """None when there is none, or none that can be read."""
    try:
        fields = json.loads(path.read_text())
        return ProcessRecord(int(fields["pid"]), float(fields["started_at"]), int(fields["port"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def end_leftover(path: Path, stop_signal: Signals) -> None:
    """End the recorded process if it still runs, and wait until it is gone. Only for the holder of the data directory.

    Blocks for as long as it takes. Raises `CannotProvision` if the process will not go.
    """
    record = read_record(path)
    process = _running(record) if record else None
    if process is None:
        return
    with suppress(psutil.NoSuchProcess):
        _end(process, stop_signal)


def works_in(pid: int, directory: Path) -> bool:
    """Whether the process is there and has the directory as its working directory, as a PostgreSQL has its data's."""
    try:
        return Path(psutil.Process(pid).cwd()) == directory.resolve()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


async def until_deserted(directory: Path) -> None:
    """Wait until nobody works in the directory any more, for `DESERTED_SECONDS` or somewhat longer.

    When a server was killed, its children find out in a moment. Until then they hold what the next one needs: those of
    a PostgreSQL the shared memory of the data directory.
    """
    for _ in range(round(DESERTED_SECONDS / DESERTED_POLL_SECONDS)):
        if not await asyncio.to_thread(_is_worked_in, directory):
            return
        await asyncio.sleep(DESERTED_POLL_SECONDS)
    log.warning("Somebody still works in %s, and the server is started all the same", directory)


def _is_worked_in(directory: Path) -> bool:
    return any(works_in(pid, directory) for pid in psutil.pids())


def _running(record: ProcessRecord) -> psutil.Process | None:
    try:
        process = psutil.Process(record.pid)
        same = abs(process.create_time() - record.started_at) < START_TIME_TOLERANCE_SECONDS
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def _end(process: psutil.Process, stop_signal: Signals) -> None:
    process.send_signal(stop_signal)
    try:
        process.wait(STOP_SECONDS)
    except psutil.TimeoutExpired:
        process.kill()
        _wait_for_killed(process)


def _wait_for_killed(process: psutil.Process) -> None:
    try:
        process.wait(KILL_SECONDS)
    except psutil.TimeoutExpired:
        raise CannotProvision(
            f"a server left over from an earlier run (pid {process.pid}) cannot be ended: end it by hand"
        ) from None
