"""A `connectory up` that lives several times on one data directory, and what must be the same in every life."""

import signal
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from connectory.client import ConnectoryClient, RunningSystem, open_log
from connectory.infra.log import Log
from connectory.infra.settings import KafkaSettings
from tests.e2e.program import Up, start


@dataclass
class Installation:
    """`outputs` is what each life has printed, `outlived` the servers that were there in the next one.

    `exit_codes` are those of lives that were asked to end.
    """

    data_dir: Path
    outputs: list[str] = field(default_factory=list)
    outlived: list[psutil.Process] = field(default_factory=list)
    exit_codes: list[int] = field(default_factory=list)
    _life: Up | None = None

    @property
    def life(self) -> Up:
        assert self._life is not None, "start it first"
        return self._life

    def client(self) -> ConnectoryClient:
        return ConnectoryClient(f"http://127.0.0.1:{self.life.port}", "admin", self.life.password)

    def log(self) -> AbstractAsyncContextManager[Log]:
        """The servers have the same addresses in every life."""
        return open_log(KafkaSettings(), data_dir=self.data_dir)

    def printed(self) -> list[str]:
        return [*self.outputs, self.life.output]

    async def start(self) -> None:
        self._life = start(self.data_dir)
        await self._life.ready()

    async def kill(self, *, with_servers: bool) -> None:
        """SIGKILL to the program, and to its servers at the same moment if they are not to notice."""
        servers = self.servers()
        if with_servers:
            for server in servers:
                server.kill()
        await self._end(signal.SIGKILL)
        await self.start()
        self.outlived += [server for server in servers if _runs(server)]

    async def terminate(self) -> None:
        """SIGTERM, and another life."""
        self.exit_codes.append(await self._end(signal.SIGTERM))
        await self.start()

    async def stop(self) -> None:
        if self._life is not None and self._life.process.poll() is None:
            await self._life.end(signal.SIGTERM)

    def servers(self) -> list[psutil.Process]:
        pids = RunningSystem.find(self.data_dir).pids
        return [psutil.Process(pid) for name, pid in pids.items() if name in ("kafka", "postgres")]

    async def _end(self, number: signal.Signals) -> int:
        code = await self.life.end(number)
        self.outputs.append(self.life.output)
        return code


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
