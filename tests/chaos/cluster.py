"""Connectory in processes of its own, one for each role, on servers that can be taken away from it."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from connectory.client import ConnectoryClient, open_log
from connectory.infra.embedded import EmbeddedKafka, EmbeddedPostgres, embedded_kafka, embedded_postgres, tether
from connectory.infra.log import Log
from connectory.infra.settings import KafkaSettings
from connectory.roles import Role
from tests.e2e.program import COMMAND, START_SECONDS, STOP_SECONDS, clean_environment
from tests.ports import free_test_port
from tests.waiting import until

PASSWORD = "for-this-run-only"
EXECUTORS = 2
SETTINGS = {
    # A target that hangs is given up soon.
    "XPACK_ACTIONS_RESPONSETIMEOUT": "2s",
    # Reading one's own writes is promised within this time, and the read model is away for longer than the default.
    "CONNECTORY_GATEWAY_PROJECTIONWAIT": "60s",
    "XPACK_ENCRYPTEDSAVEDOBJECTS_ENCRYPTIONKEY": "k" * 32,
    "CONNECTORY_ADMIN_PASSWORD": PASSWORD,
}


@dataclass(slots=True)
class RoleProcess:
    """One role, which can be killed, stopped for a while, and started again. What it prints is kept of all lives."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    output: Path
    _process: subprocess.Popen[bytes] | None = None
    _before: int = 0

    @property
    def process(self) -> psutil.Process:
        assert self._process is not None, f"{self.name} was not started"
        return psutil.Process(self._process.pid)

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def poll(self) -> int | None:
        """The exit code, once it has ended."""
        return self._process.poll() if self._process is not None else None

    def start(self) -> None:
        """It dies with this process: nothing of a run that is killed is left behind."""
        held = [sys.executable, "-I", "-S", str(tether.__file__), str(os.getpid()), str(int(signal.SIGKILL)), "-"]
        with self.output.open("ab") as output:
            self._before = output.tell()
            self._process = subprocess.Popen(
                [*held, *COMMAND, "serve", *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.environment,
            )

    async def has_begun(self) -> None:
        """Wait until it has connected to the broker: a process that has not can be ended, and not in good order."""
        await until(lambda: b"starts on Kafka" in self.output.read_bytes()[self._before :], START_SECONDS, 0.1)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None, f"{self.name} was not started"
        self._process.send_signal(number)

    async def end(self) -> int:
        """Ask it to end, and return the exit code."""
        process = self._process
        assert process is not None, f"{self.name} was not started"
        process.send_signal(signal.SIGTERM)
        await until(lambda: process.poll() is not None, STOP_SECONDS, 0.05)
        return process.wait()


@dataclass(slots=True)
class Cluster:
    """`exit_codes` are those of roles that were asked to end."""

    kafka: EmbeddedKafka
    postgres: EmbeddedPostgres
    url: str
    roles: dict[str, RoleProcess]
    exit_codes: list[int] = field(default_factory=list)

    def client(self) -> ConnectoryClient:
        return ConnectoryClient(self.url, "admin", PASSWORD)

    def log(self) -> AbstractAsyncContextManager[Log]:
        return open_log(KafkaSettings(bootstrap_servers=self.kafka.bootstrap_servers))

    def printed(self) -> list[str]:
        return [each.output.read_text(encoding="utf-8") for each in self.roles.values() if each.output.exists()]

    def executors(self) -> list[RoleProcess]:
        """Those that run, and those that may be started."""
        return [each for name, each in self.roles.items() if name.startswith(Role.EXECUTOR)]

    def died(self) -> list[int]:
        """The exit codes of roles that ended without being asked to."""
        return [code for each in list(self.roles.values())[:-1] if (code := each.poll()) is not None]

    async def end(self, role: RoleProcess) -> None:
        self.exit_codes.append(await role.end())


@asynccontextmanager
async def open_cluster(directory: Path) -> AsyncIterator[Cluster]:
    """Servers and roles on an empty directory; one more executor can be started."""
    async with embedded_kafka(directory) as kafka, embedded_postgres(directory) as postgres:
        port = free_test_port()
        environment = {
            **clean_environment(),
            **SETTINGS,
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "DATABASE_URL": postgres.url,
        }
        roles = {each.name: each for each in _roles(directory, environment, port)}
        cluster = Cluster(kafka, postgres, f"http://127.0.0.1:{port}", roles)
        try:
            for each in list(roles.values())[:-1]:
                each.start()
            yield cluster
        finally:
            for each in roles.values():
                if each.runs:
                    each.kill()


def _roles(directory: Path, environment: Mapping[str, str], port: int) -> Iterator[RoleProcess]:
    for role in (Role.AGGREGATE, Role.PROJECTOR, Role.GATEWAY):
        options = ("--port", str(port)) if role is Role.GATEWAY else ()
        yield _role(role.value, (role.value, *options), directory, environment)
    for number in range(EXECUTORS + 1):
        yield _role(f"{Role.EXECUTOR}-{number}", (Role.EXECUTOR.value,), directory, environment)


def _role(name: str, arguments: tuple[str, ...], directory: Path, environment: Mapping[str, str]) -> RoleProcess:
    place = ("--data-dir", str(directory / name))
    return RoleProcess(name, (*arguments, *place), environment, directory / f"{name}.log")
