"""A whole Connectory in one process: accounts and keys, servers, roles, and word to the user when it is ready."""

import asyncio
import logging
import os
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import typer
from pydantic import SecretStr

from connectory.cli.accounts import Access, give_access
from connectory.cli.progress import ShownProgress
from connectory.cli.servers import Servers, keep_alive, start_in_memory, start_servers
from connectory.cli.welcome import welcome
from connectory.client.api import status
from connectory.composition import Foundation, prepare, run_roles
from connectory.domain.errors import SettingsInvalid, Unavailable
from connectory.infra.crypto import ensure_encryption_key
from connectory.infra.embedded import hold_data_dir
from connectory.infra.running_system import RunningSystem
from connectory.infra.settings import Settings
from connectory.roles import Role

POLL_SECONDS = 0.05

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standalone:
    """`connectory up`, as asked for. `kafka_port` None: a free one, and from then on the same."""

    settings: Settings
    data_dir: Path
    kafka_port: int | None
    in_memory: bool

    async def run(self) -> None:
        """Run until cancelled. Raises `CannotProvision`, `CannotListen`, `SettingsInvalid`, `Unavailable`."""
        if self.in_memory and (self.settings.kafka.bootstrap_servers or self.settings.database.url):
            raise SettingsInvalid("--memory has a log and a database of its own: leave out the addresses that are set")
        with hold_data_dir(self.data_dir) as directory:
            RunningSystem.remove(directory)
            access = await give_access(self.settings, directory)
            async with AsyncExitStack() as stack:
                servers = await self._start(stack, with_key(self.settings, directory), directory)
                await self._run_roles(servers, access, directory)

    async def _start(self, stack: AsyncExitStack, settings: Settings, directory: Path) -> Servers:
        with ShownProgress() as progress:
            if self.in_memory:
                return await start_in_memory(stack, settings, progress)
            return await start_servers(stack, settings, directory, progress, self.kafka_port)

    async def _run_roles(self, servers: Servers, access: Access, directory: Path) -> None:
        """Run until cancelled; tell the user, and other commands, once requests are answered."""
        bound: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        foundation = Foundation(
            settings=servers.settings,
            log=servers.log,
            credentials=access.credentials,
            on_bound=lambda url: None if bound.done() else bound.set_result(url),
        )
        await prepare(foundation)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(run_roles(foundation, list(Role)))
                record = partial(_record, servers, directory, bound)
                for name, process in servers.processes.items():
                    tasks.create_task(keep_alive(name, process, on_restart=record))
                system = _system(servers, await bound)
                await _until_available(system.url)
                record()
                typer.echo(welcome(system, access, self.data_dir, in_memory=self.in_memory))
        finally:
            RunningSystem.remove(directory)


async def _until_available(url: str) -> None:
    """What is set and cannot be reached now is waited for: reading is possible already."""
    while True:
        try:
            if await status(url) == "available":
                return
        except Unavailable as error:
            log.info("not ready yet: %s", error)
        await asyncio.sleep(POLL_SECONDS)


def with_key(settings: Settings, directory: Path) -> Settings:
    """The settings with a key, made at the first start if none is set."""
    if settings.encryption.key is not None:
        return settings
    key = SecretStr(ensure_encryption_key(directory))
    return settings.model_copy(update={"encryption": settings.encryption.model_copy(update={"key": key})})


def _record(servers: Servers, directory: Path, bound: asyncio.Future[str]) -> None:
    """Write down where the system answers, and its processes as they are now."""
    if bound.done():
        _system(servers, bound.result()).write(directory)


def _system(servers: Servers, url: str) -> RunningSystem:
    return RunningSystem(
        url=url,
        kafka_bootstrap_servers=servers.settings.kafka.bootstrap_servers,
        database_url=servers.settings.database.url,
        pids=dict.fromkeys(Role, os.getpid()) | {name: process.pid for name, process in servers.processes.items()},
    )
