"""A broker and a database of a benchmark's own, with all topics and tables, and the roles that run against them."""

import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from benchmarks.processes import python
from connectory.infra import topics
from connectory.infra.crypto import generate_key
from connectory.infra.embedded import embedded_kafka, embedded_postgres
from connectory.infra.kafka import KafkaLog, open_kafka_log
from connectory.infra.postgres import Database, migrate, open_database
from connectory.infra.settings import KafkaSettings
from connectory_projections import ALL

RETENTION = timedelta(days=90)
STATEMENT_TIMEOUT = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """`env` tells a role where the servers are, and the key that secrets are sealed with."""

    directory: Path
    log: KafkaLog
    database: Database
    database_url: str
    key: str
    env: Mapping[str, str]

    def serve(self, role: str, *options: str, **env: str) -> AbstractAsyncContextManager[Process]:
        """One role as a process; what it logs is in `ROLE.log`."""
        return self.command("serve", role, *options, name=role, **env)

    def command(self, *arguments: str, name: str, **env: str) -> AbstractAsyncContextManager[Process]:
        log = self.directory / f"{name}.log"
        return python("-m", "connectory.cli", *arguments, env={**self.env, **env}, log=log)

    def said(self, name: str) -> str:
        return (self.directory / f"{name}.log").read_text(encoding="utf-8", errors="replace")


@asynccontextmanager
async def servers() -> AsyncIterator[Servers]:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        async with (
            embedded_kafka(directory) as kafka,
            embedded_postgres(directory) as postgres,
            open_kafka_log(KafkaSettings(bootstrap_servers=kafka.bootstrap_servers)) as log,
            open_database(postgres.url, statement_timeout=STATEMENT_TIMEOUT) as database,
        ):
            await log.create_topics(topics.topic_specs(RETENTION))
            await migrate(database, ALL)
            key = generate_key()
            env = {
                "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
                "DATABASE_URL": postgres.url,
                "XPACK_ENCRYPTEDSAVEDOBJECTS_ENCRYPTIONKEY": key,
            }
            yield Servers(directory=directory, log=log, database=database, database_url=postgres.url, key=key, env=env)
