"""A server as our child process: started tethered to us, awaited until ready, stopped, restarted."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, Signals
from typing import Final

from connectory.infra.embedded.errors import CannotProvision, writing_to
from connectory.infra.embedded.leftovers import record_process

START_SECONDS: Final = 90.0
STOP_SECONDS: Final = 20.0
SHOWN_LOG_LINES: Final = 15
MAXIMUM_LOG_BYTES: Final = 10 * 1024 * 1024
# Nothing else of our environment: it may hold secrets, and PG… or JAVA… variables would change what is started.
PASSED_ON: Final = ("PATH", "HOME", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "SSL_CERT_FILE")

Ready = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the operating system."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a program. What it prints goes to `output`; it is asked to stop by `stop_signal`."""

    command: Sequence[str]
    directory: Path
    output: Path
    stop_signal: Signals
    account: Account | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """What makes a program a server: `ready` returns once it answers, `record` is where its pid is written down."""

    name: str
    port: int
    launch: Launch
    ready: Ready
    record: Path
    log: Path


class ServerProcess:
    """The life of one server. One task at a time may start, stop or restart it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def log(self) -> Path:
        """The file that the server logs to."""
        return self._server.log

    async def start(self) -> None:
        """Start, and return once the server answers.

        Raises `CannotProvision` with the end of its log when it dies or does not answer in time.
        """
        self._process = await spawn(self._server.launch)
        try:
            record_process(self._server.record, self._process.pid, self._server.port)
            await self._until_ready(self._process)
        except BaseException:
            await self.stop()
            raise

    async def wait(self) -> int:
        """Return the exit code once the process has ended; negative for a signal."""
        return await self._running().wait()

    async def stop(self) -> None:
        """Ask it to stop, and end it if it does not within `STOP_SECONDS`."""
        process = self._running()
        try:
            _signal(process, self._server.launch.stop_signal)
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            await self.kill()
        except asyncio.CancelledError:
            _signal(process, SIGKILL)
            raise

    async def kill(self) -> None:
        """End it at once, as a crash would, and return when it is gone."""
        process = self._running()
        _signal(process, SIGKILL)
        await process.wait()

    async def restart(self) -> None:
        """Start it again on the same port, after it died or after ending it at once."""
        await self.kill()
        await self.start()

    def _running(self) -> Process:
        if self._process is None:
            raise CannotProvision(f"the embedded {self._server.name} has not been started")
        return self._process

    async def _until_ready(self, process: Process) -> None:
        ready, died = asyncio.ensure_future(self._server.ready()), asyncio.ensure_future(process.wait())
        try:
            await asyncio.wait({ready, died}, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if died.done():
                raise CannotProvision(self._failure(f"ended with exit code {died.result()} while starting"))
            if not ready.done():
                raise CannotProvision(self._failure(f"did not answer within {START_SECONDS:.0f} seconds"))
            ready.result()
        finally:
            for task in (ready, died):
                task.cancel()
            await asyncio.gather(ready, died, return_exceptions=True)

    def _failure(self, what: str) -> str:
        lines = last_lines(self._server.launch.output) + last_lines(self._server.log)
        shown = "\n".join(f"  {line}" for line in lines[-SHOWN_LOG_LINES:])
        return f"the embedded {self._server.name} {what}; its log is {self._server.log}, and ends with:\n{shown}"


async def spawn(launch: Launch) -> Process:
    """Start a program in a session of its own (a terminal's Ctrl-C is for us alone) that dies when we die."""
    with writing_to(launch.output):
        _keep_bounded(launch.output)
        output = launch.output.open("ab")
    with output:
        return await asyncio.create_subprocess_exec(
            *_tethered(launch),
            stdin=DEVNULL,
            stdout=output,
            stderr=output,
            cwd=launch.directory,
            env={name: os.environ[name] for name in PASSED_ON if name in os.environ} | {"LC_ALL": "C"},
            start_new_session=True,
        )


async def run(launch: Launch, what: str, timeout: float = START_SECONDS) -> None:
    """Run a program to its end. Raises `CannotProvision` with the end of its output when it fails."""
    process = await spawn(launch)
    try:
        async with asyncio.timeout(timeout):
            code = await process.wait()
    except TimeoutError:
        raise CannotProvision(f"cannot {what}: not done within {timeout:.0f} seconds") from None
    finally:
        _signal(process, SIGKILL)
        await process.wait()
    if code != 0:
        shown = "\n".join(f"  {line}" for line in last_lines(launch.output))
        raise CannotProvision(f"cannot {what} (exit code {code}):\n{shown}")


def last_lines(path: Path, count: int = SHOWN_LOG_LINES) -> list[str]:
    """The last lines of a file; none if there is no such file."""
    with suppress(OSError), path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 16_384))
        return file.read().decode(errors="replace").splitlines()[-count:]
    return []


def _tethered(launch: Launch) -> list[str]:
    account = f"{launch.account.uid}:{launch.account.gid}" if launch.account else "-"
    tether = str(Path(__file__).with_name("tether.py"))
    program = [sys.executable, "-I", "-S", tether, str(os.getpid()), str(int(launch.stop_signal)), account]
    return [*program, *launch.command]


def _signal(process: Process, signal: Signals) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.send_signal(signal)


def _keep_bounded(log: Path) -> None:
    if log.exists() and log.stat().st_size > MAXIMUM_LOG_BYTES:
        log.replace(log.with_suffix(".old"))
