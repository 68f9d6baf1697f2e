"""`connectory` as a user runs it: as processes, found again by what they write down and print."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from connectory.client import ConnectoryClient, RunningSystem
from tests.ports import free_test_port
from tests.waiting import until

START_SECONDS = 240.0
"""The first start on a machine downloads the broker."""

STOP_SECONDS = 60.0
PATIENCE = {"CONNECTORY_GATEWAY_REPLYTIMEOUT": "60s", "CONNECTORY_GATEWAY_PROJECTIONWAIT": "60s"}
"""What a machine that is slow and shared may take, above all for the first change after a start."""

COMMAND = (sys.executable, "-m", "connectory.cli")


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended."""

    code: int
    output: str
    errors: str


@dataclass(slots=True)
class Up:
    """A `connectory up`, with its standard output and error in one file."""

    data_dir: Path
    log: Path
    process: subprocess.Popen[bytes]
    port: int = field(default=0)

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8")

    @property
    def url(self) -> str:
        return RunningSystem.find(self.data_dir).url

    @property
    def password(self) -> str:
        return (self.data_dir / "admin-password").read_text(encoding="utf-8").strip()

    def client(self, space: str = "default") -> ConnectoryClient:
        return ConnectoryClient(self.url, "admin", self.password, space=space)

    async def ready(self) -> None:
        """Raises `AssertionError` with what was printed when it ends instead."""
        await until(lambda: "Connectory is ready" in self.output or self.process.poll() is not None, START_SECONDS, 0.1)
        assert self.process.poll() is None, self.output

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal and return the exit code."""
        self.process.send_signal(number)
        await until(lambda: self.process.poll() is not None, STOP_SECONDS, 0.05)
        return self.process.wait()

    async def run(self, *arguments: str, text: str = "") -> Finished:
        """Run another command on the same data directory."""
        return await run(*arguments, "--data-dir", str(self.data_dir), text=text)


def start(data_dir: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> Up:
    """Start `connectory up` on a free port, and do not wait for it."""
    port = free_test_port()
    data_dir.mkdir(exist_ok=True)
    log = data_dir.parent / f"{data_dir.name}-{port}.log"
    command = [*COMMAND, "up", "--port", str(port), "--data-dir", str(data_dir), *arguments]
    variables = {**clean_environment(), **PATIENCE, **(environment or {})}
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=variables)
    return Up(data_dir, log, process, port)


@asynccontextmanager
async def up(data_dir: Path, *arguments: str) -> AsyncIterator[Up]:
    """A system that is ready; it is ended in the end, if it still runs."""
    system = start(data_dir, *arguments)
    try:
        await system.ready()
        yield system
    finally:
        if system.process.poll() is None:
            await system.end()


async def run(*arguments: str, text: str = "", environment: Mapping[str, str] | None = None) -> Finished:
    """Run `connectory` to its end, with `text` as its standard input."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**clean_environment(), **(environment or {})},
    )
    async with asyncio.timeout(STOP_SECONDS):
        output, errors = await process.communicate(text.encode())
    return Finished(process.returncode or 0, output.decode(), errors.decode())


def clean_environment() -> dict[str, str]:
    """Ours without what would set something."""
    prefixes = ("CONNECTORY_", "XPACK_", "KAFKA_", "DATABASE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
