"""The servers of `connectory up`: started where no address is set, kept running, and the log that goes over them."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NoReturn

from connectory.composition import log_grace
from connectory.infra.embedded import CannotProvision, Progress, ServerProcess, embedded_kafka, embedded_postgres
from connectory.infra.in_memory_log import InMemoryLog
from connectory.infra.kafka import open_kafka_log
from connectory.infra.log import Log
from connectory.infra.settings import Settings

RESTART_WAITS: Final = (0.5, 1.0, 3.0, 10.0, 30.0)
"""Seconds before each try to start a server again; after the last the system ends."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """`settings` have the addresses; `processes` are those that were started, by name."""

    settings: Settings
    log: Log
    processes: Mapping[str, ServerProcess] = field(default_factory=dict)


async def start_servers(
    stack: AsyncExitStack, settings: Settings, data_dir: Path, progress: Progress, kafka_port: int | None
) -> Servers:
    """Start what is not set, and open the log. The stack ends them. Raises `CannotProvision`."""
    processes: dict[str, ServerProcess] = {}
    if settings.kafka.bootstrap_servers is None:
        kafka = await stack.enter_async_context(embedded_kafka(data_dir, kafka_port, progress=progress))
        settings = _with(settings, "kafka", bootstrap_servers=kafka.bootstrap_servers)
        processes["kafka"] = kafka.process
    if settings.database.url is None:
        settings, processes["postgres"] = await _start_postgres(stack, settings, data_dir, progress)
    # The broker is ours alone, and so is the data directory: there is no other of our name.
    instance = "up" if "kafka" in processes else None
    opened = await stack.enter_async_context(
        open_kafka_log(settings.kafka, instance=instance, grace=log_grace(settings))
    )
    return Servers(settings=settings, log=opened, processes=processes)


async def start_in_memory(stack: AsyncExitStack, settings: Settings, progress: Progress) -> Servers:
    """A log in memory, and a database in a temporary directory: its rows belong to that log."""
    directory = Path(stack.enter_context(TemporaryDirectory(prefix="connectory-")))
    settings, postgres = await _start_postgres(stack, settings, directory, progress)
    return Servers(
        settings=settings,
        log=InMemoryLog(partitions=settings.kafka.partitions, grace=log_grace(settings)),
        processes={"postgres": postgres},
    )


async def keep_alive(name: str, process: ServerProcess, on_restart: Callable[[], None]) -> NoReturn:
    """Start the server again whenever it ends. Raises `CannotProvision` when it will not start any more."""
    while True:
        code = await process.wait()
        log.error("the embedded %s ended with exit code %d, starting it again; its log is %s", name, code, process.log)
        await _restart(name, process)
        log.warning("the embedded %s is back", name)
        on_restart()


async def _restart(name: str, process: ServerProcess) -> None:
    for wait in RESTART_WAITS:
        await asyncio.sleep(wait)
        try:
            await process.restart()
        except CannotProvision as error:
            log.warning("the embedded %s does not start: %s", name, error)
        else:
            return
    await process.restart()


async def _start_postgres(
    stack: AsyncExitStack, settings: Settings, data_dir: Path, progress: Progress
) -> tuple[Settings, ServerProcess]:
    postgres = await stack.enter_async_context(embedded_postgres(data_dir, progress=progress))
    return _with(settings, "database", url=postgres.url), postgres.process


def _with(settings: Settings, group: str, **values: object) -> Settings:
    return settings.model_copy(update={group: getattr(settings, group).model_copy(update=values)})
