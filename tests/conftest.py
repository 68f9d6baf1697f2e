"""Real servers for the tests that need them: one Kafka and one PostgreSQL a worker, started when first asked for."""

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import pytest
from aiokafka.admin import AIOKafkaAdminClient  # type: ignore[import-untyped]
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

from connectory.infra.embedded import (
    CannotProvision,
    EmbeddedKafka,
    EmbeddedPostgres,
    embedded_kafka,
    embedded_postgres,
)
from tests import sql
from tests.provision import cannot_test, temporary_data_dir

HTTP_CONTRACT: Final = "tests/contract/test_http_"

# How long an example takes is a matter of the machine, and no law says anything of it. All else is as in the profile
# that Hypothesis has chosen by itself, which is another one where it sees that it runs in CI.
settings.register_profile("connectory", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("connectory")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    return _FilesTogether(config, log)


class _FilesTogether(LoadFileScheduling):  # type: ignore[misc]
    """The tests of a file run on one worker, in their order; so do all of the HTTP contract, the last of which ask what
    those before them have seen.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return HTTP_CONTRACT if file.startswith(HTTP_CONTRACT) else file


@pytest.fixture(scope="session")
def server_dir() -> Iterator[Path]:
    """The data directory of the run's servers."""
    with temporary_data_dir() as directory:
        yield directory


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data directory of the test's own. Use it rather than `tmp_path` where embedded servers are started."""
    with temporary_data_dir() as directory:
        yield directory


@pytest.fixture(scope="session")
async def kafka_server(server_dir: Path) -> AsyncIterator[EmbeddedKafka]:
    async with AsyncExitStack() as stack:
        try:
            server = await stack.enter_async_context(embedded_kafka(server_dir))
        except CannotProvision as error:
            cannot_test(error)
        yield server


@pytest.fixture(scope="session")
async def postgres_server(server_dir: Path) -> AsyncIterator[EmbeddedPostgres]:
    async with AsyncExitStack() as stack:
        try:
            server = await stack.enter_async_context(embedded_postgres(server_dir))
        except CannotProvision as error:
            cannot_test(error)
        yield server


@pytest.fixture(scope="session")
def kafka_bootstrap(kafka_server: EmbeddedKafka) -> str:
    """`host:port` of the run's broker. Share it: name topics and groups after `topic_prefix`."""
    return kafka_server.bootstrap_servers


@pytest.fixture(scope="session")
def postgres_url(postgres_server: EmbeddedPostgres) -> str:
    """The run's database server. For a database of one's own: `database_url`."""
    return postgres_server.url


@pytest.fixture
async def database_url(postgres_url: str) -> AsyncIterator[str]:
    """A fresh database, dropped after the test."""
    name = f"test_{uuid.uuid4().hex}"
    await sql.execute(postgres_url, f'CREATE DATABASE "{name}"')
    yield f"{postgres_url.rpartition('/')[0]}/{name}"
    await sql.execute(postgres_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def topic_prefix(kafka_bootstrap: str) -> AsyncIterator[str]:
    """What the test's topics begin with; they are deleted after it."""
    prefix = f"test-{uuid.uuid4().hex[:12]}."
    yield prefix
    await _delete_topics(kafka_bootstrap, prefix)


async def _delete_topics(bootstrap: str, prefix: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        names = [name for name in await admin.list_topics() if name.startswith(prefix)]
        if names:
            await admin.delete_topics(names)
    finally:
        await admin.close()
