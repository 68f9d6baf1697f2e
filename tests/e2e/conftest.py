"""One `connectory up` for the tests that leave it running, and what they need around it."""

from collections.abc import AsyncIterator

import pytest

from connectory.client import ActionRequestPublisher, ConnectoryClient, open_log
from connectory.infra.kafka import KafkaLog
from connectory.infra.settings import KafkaSettings
from tests.e2e.program import Up, up
from tests.fakes.http_target import HttpTarget, http_target
from tests.provision import require_java, temporary_data_dir


@pytest.fixture(scope="session", autouse=True)
def _servers_can_be_had() -> None:
    """Skip where there is no Java; fail where tests are the gate."""
    require_java()


@pytest.fixture(scope="package")
async def system() -> AsyncIterator[Up]:
    """A running system that all tests of this tier share: make connectors with ids of your own."""
    with temporary_data_dir() as directory:
        async with up(directory / "up") as running:
            yield running


@pytest.fixture
async def client(system: Up) -> AsyncIterator[ConnectoryClient]:
    """Logged in as `admin`, in the space `default`."""
    async with system.client() as opened:
        yield opened


@pytest.fixture
async def log(system: Up) -> AsyncIterator[KafkaLog]:
    async with open_log(KafkaSettings(), data_dir=system.data_dir) as opened:
        yield opened


@pytest.fixture
async def publisher(log: KafkaLog) -> AsyncIterator[ActionRequestPublisher]:
    async with ActionRequestPublisher.over(log) as opened:
        yield opened


@pytest.fixture
async def target() -> AsyncIterator[HttpTarget]:
    """What webhooks call."""
    async with http_target() as opened:
        yield opened


@pytest.fixture
async def webhook(client: ConnectoryClient, target: HttpTarget) -> AsyncIterator[str]:
    """The id of a connector that calls the target."""
    created = await client.create_connector("Hook", ".webhook", {"url": f"{target.url}/in", "hasAuth": False})
    yield created.id
    await client.delete_connector(created.id)
