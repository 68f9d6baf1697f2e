"""Finding and opening the log that an installation uses."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from connectory.infra.kafka import KafkaLog, open_kafka_log
from connectory.infra.running_system import DEFAULT_DATA_DIR, NotRunning, RunningSystem
from connectory.infra.settings import KafkaSettings, load_settings


@asynccontextmanager
async def open_log(kafka: KafkaSettings | None = None, *, data_dir: Path = DEFAULT_DATA_DIR) -> AsyncIterator[KafkaLog]:
    """Open the log named by the settings, or else that of the system that runs on `data_dir`.

    Without `kafka` the settings are read from their usual sources (`KAFKA_BOOTSTRAP_SERVERS` among them). Raises
    `NotRunning` when no address is set and nothing runs, `Unavailable` when the broker cannot be reached.
    """
    async with open_kafka_log(reachable(kafka or load_settings().kafka, data_dir)) as log:
        yield log


def reachable(kafka: KafkaSettings, data_dir: Path) -> KafkaSettings:
    """The settings with an address: their own, or that of the running system. Raises `NotRunning` without either."""
    if kafka.bootstrap_servers:
        return kafka
    servers = RunningSystem.find(data_dir).kafka_bootstrap_servers
    if servers is None:
        raise NotRunning(f"the Connectory in {data_dir} keeps its log in memory: only HTTP reaches it")
    return kafka.model_copy(update={"bootstrap_servers": servers})
