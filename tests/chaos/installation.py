"""A `connectory up` that lives several times on one data directory, and what must be the same in every life."""

import asyncio
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from connectory.client import ConnectorInfo, RunningSystem
from tests.chaos.history import Entry, entry_of
from tests.e2e.program import Up, start


@dataclass
class Installation:
    """`outputs` is what each life has printed, `outlived` the servers that were there in the next one."""

    data_dir: Path
    outputs: list[str] = field(default_factory=list)
    outlived: list[psutil.Process] = field(default_factory=list)
    created: list[ConnectorInfo] = field(default_factory=list)
    _life: Up | None = None

    @property
    def life(self) -> Up:
        assert self._life is not None, "start it first"
        return self._life

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

    async def terminate(self) -> int:
        """SIGTERM; returns the exit code of the life that has ended."""
        code = await self._end(signal.SIGTERM)
        await self.start()
        return code

    async def stop(self) -> None:
        if self._life is not None and self._life.process.poll() is None:
            await self._end(signal.SIGTERM)

    def servers(self) -> list[psutil.Process]:
        pids = RunningSystem.find(self.data_dir).pids
        return [psutil.Process(pid) for name, pid in pids.items() if name in ("kafka", "postgres")]

    async def create_connectors(self, urls: Sequence[str]) -> None:
        """One for each URL, with ids that say how many there are."""
        async with self.life.client() as client:
            for url in urls:
                number = len(self.created)
                config = {"url": url, "hasAuth": False}
                self.created.append(
                    await client.create_connector(f"Hook {number}", ".webhook", config, connector_id=f"hook-{number}")
                )

    async def connectors(self) -> list[ConnectorInfo]:
        async with self.life.client() as client:
            return [await client.connector(each.id) for each in self.created]

    async def event_log(self, at_least: int, seconds: float) -> list[Entry]:
        """All entries over HTTP, once there are so many; after `seconds` what there is."""
        entries: list[Entry] = []
        async with self.life.client() as client:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while len(entries) < at_least:
                        entries = [entry_of(item) async for item in client.event_log(size="1000")]
        return entries

    async def _end(self, number: signal.Signals) -> int:
        code = await self.life.end(number)
        self.outputs.append(self.life.output)
        return code


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
