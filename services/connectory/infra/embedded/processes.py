"""A server as our child process: started tethered to us, awaited until ready, stopped, restarted."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, Signals
from typing import Final

from connectory.infra.embedded.errors import CannotProvision, PortTaken, writing_to
from connectory.infra.embedded.leftovers import record_process, until_deserted

# Long enough for a server that reads much of its data again after a crash.
START_SECONDS: Final = 300.0
STOP_SECONDS: Final = 20.0
STARTS: Final = 3
SHOWN_LOG_LINES: Final = 15
SHOWN_LOG_BYTES: Final = 16 * 1024
# What the servers and the Java runtime write → what to do about it.
PORT_TAKEN: Final = "Address already in use"
ADVICE: Final[Mapping[str, str]] = {
    "No space left on device": "free some space, or choose another place with --data-dir",
    PORT_TAKEN: "another program took its port in the meantime, start again",
    "Permission denied": "give it the permission that its log names, or choose another place with --data-dir",
    "insufficient memory": "free some memory, or give it less",
    "Invalid maximum heap size": "set a heap size that this machine has",
}
OTHER_ADVICE: Final = "mend what its log says, or begin anew in another place with --data-dir"
MAXIMUM_LOG_BYTES: Final = 10 * 1024 * 1024
# Nothing else of our environment: it may hold secrets, and PG… or JAVA… variables would change what is started.
PASSED_ON: Final = ("PATH", "HOME", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "SSL_CERT_FILE")

Ready = Callable[[int], Awaitable[None]]


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
    """What makes a program a server: `ready` returns once that pid answers, `record` is where the pid is written.

    It and its children work in `ground`, if that is given; others who do so are waited for before it is started.
    """

    name: str
    port: int
    launch: Launch
    ready: Ready
    record: Path
    log: Path
    ground: Path | None = None


class ServerProcess:
    """The life of one server. One task at a time may start, stop or restart it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._process: Process | None = None
        self._logged: dict[Path, int] = {}

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def log(self) -> Path:
        """The file that the server logs to."""
        return self._server.log

    async def start(self) -> None:
        """Start, and return once the server answers.

        Raises `CannotProvision` with the end of its log when it dies or does not answer in time, as `PortTaken` when
        that is why.
        """
        if self._server.ground:
            await until_deserted(self._server.ground)
        self._logged = {path: _size(path) for path in (self._server.launch.output, self._server.log)}
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
        ready, died = asyncio.ensure_future(self._server.ready(process.pid)), asyncio.ensure_future(process.wait())
        try:
            await asyncio.wait({ready, died}, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if died.done():
                raise self._failure(f"ended with exit code {died.result()} while starting")
            if not ready.done():
                raise self._failure(f"did not answer within {START_SECONDS:.0f} seconds")
            ready.result()
        finally:
            for task in (ready, died):
                task.cancel()
            await asyncio.gather(ready, died, return_exceptions=True)

    def _failure(self, what: str) -> CannotProvision:
        lines = [line for path, size in self._logged.items() for line in last_lines(path, since=size)]
        kind = PortTaken if any(PORT_TAKEN in line for line in lines) else CannotProvision
        return kind(
            f"the embedded {self._server.name} {what}: {explain(lines)}. Its log, {self._server.log}, ends with:\n"
            + _indented(lines)
        )


async def started(prepare: Callable[[], Awaitable[Server]]) -> ServerProcess:
    """A server that answers. `prepare` chooses its ports, and is asked again when somebody has taken one meanwhile.

    Raises `CannotProvision`.
    """
    for _ in range(STARTS - 1):
        process = ServerProcess(await prepare())
        with suppress(PortTaken):
            await process.start()
            return process
    process = ServerProcess(await prepare())
    await process.start()
    return process


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
            env={name: os.environ[name] for name in PASSED_ON if name in os.environ} | {"LC_ALL": "C.UTF-8"},
            start_new_session=True,
        )


async def run(launch: Launch, what: str, timeout: float = START_SECONDS) -> None:
    """Run a program to its end. Raises `CannotProvision` with the end of its output when it fails."""
    before = _size(launch.output)
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
        lines = last_lines(launch.output, since=before)
        raise CannotProvision(f"cannot {what} (exit code {code}): {explain(lines)}. It said:\n{_indented(lines)}")


def explain(lines: Sequence[str]) -> str:
    """What to do about a failure that was logged like this."""
    text = "\n".join(lines)
    return next((advice for sign, advice in ADVICE.items() if sign in text), OTHER_ADVICE)


def last_lines(path: Path, since: int = 0) -> list[str]:
    """The last lines of a file, of those written after its size was `since` bytes; none if there is no such file.

    Without the frames of Java's stack traces: what they say is in the line above them.
    """
    size = _size(path)
    start = since if since <= size else 0
    with suppress(OSError), path.open("rb") as file:
        file.seek(max(start, size - SHOWN_LOG_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
        return [line for line in lines if not line.startswith("\tat ")][-SHOWN_LOG_LINES:]
    return []


def _indented(lines: Sequence[str]) -> str:
    return "\n".join(f"  {line}" for line in lines[-SHOWN_LOG_LINES:]) or "  (nothing)"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


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
    if _size(log) > MAXIMUM_LOG_BYTES:
        log.replace(log.with_suffix(".old"))
