"""Roles in processes of their own, and `up`, on servers that the settings name."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from connectory.client import ConnectoryClient
from connectory.client.api import status
from connectory.domain.errors import Unavailable
from connectory.roles import Role
from tests.e2e.program import COMMAND, START_SECONDS, STOP_SECONDS, clean_environment, start
from tests.ports import free_test_port
from tests.waiting import until

PASSWORD = "for-this-test-only"


@pytest.fixture
def given(kafka_bootstrap: str, topic_prefix: str, database_url: str) -> dict[str, str]:
    """The settings that all roles have in common, as variables."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
        "DATABASE_URL": database_url,
        "CONNECTORY_KAFKA_TOPICPREFIX": topic_prefix,
        "XPACK_ENCRYPTEDSAVEDOBJECTS_ENCRYPTIONKEY": "k" * 32,
        "CONNECTORY_ADMIN_PASSWORD": PASSWORD,
    }


async def test_the_four_roles_work_together_as_processes(given: Mapping[str, str], tmp_path: Path) -> None:
    port = free_test_port()
    async with (
        served(Role.PROJECTOR, given, tmp_path),
        served(Role.AGGREGATE, given, tmp_path),
        served(Role.EXECUTOR, given, tmp_path),
        served(Role.EXECUTOR, given, tmp_path),
        served(Role.GATEWAY, given, tmp_path, "--port", str(port)),
        ConnectoryClient(await available(f"http://127.0.0.1:{port}"), "admin", PASSWORD) as client,
    ):
        created = [await client.create_connector(f"C{number}", ".server-log") for number in range(8)]
        results = [await client.execute(each.id, {"message": "hello"}) for each in created]

    assert [result.status for result in results] == ["ok"] * 8


async def test_up_embeds_nothing_that_is_given(given: Mapping[str, str], tmp_path: Path) -> None:
    system = start(tmp_path / "data", environment=given)
    try:
        await system.ready()
        runtime = json.loads((system.data_dir / "runtime.json").read_text())
        async with ConnectoryClient(system.url, "admin", PASSWORD) as client:
            assert await client.connectors() == []
    finally:
        assert await system.end() == 0

    assert set(runtime["pids"]) == set(Role)
    assert runtime["kafka_bootstrap_servers"] == given["KAFKA_BOOTSTRAP_SERVERS"]
    assert sorted(path.name for path in system.data_dir.iterdir()) == ["admin-password", "lock", "security.yml"]


@asynccontextmanager
async def served(role: Role, given: Mapping[str, str], data_dir: Path, *options: str) -> AsyncIterator[None]:
    """One role in a process, which ends well when it is told to."""
    process = launch([role.value, "--data-dir", str(data_dir / "data"), *options], given, data_dir / f"{role}.log")
    try:
        yield
        assert process.poll() is None
    finally:
        process.terminate()
        await until(lambda: process.poll() is not None, STOP_SECONDS, 0.05)
    assert process.wait() == 0


def launch(arguments: Sequence[str], given: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        command = [*COMMAND, "serve", *arguments]
        return subprocess.Popen(command, stdout=output, stderr=output, env={**clean_environment(), **given})


async def available(url: str) -> str:
    """The URL, once the gateway says that all is well."""
    async with asyncio.timeout(START_SECONDS):
        while await level(url) != "available":  # noqa: ASYNC110 - another process tells, by being asked
            await asyncio.sleep(0.05)
    return url


async def level(url: str) -> str:
    try:
        return await status(url)
    except Unavailable as error:
        return str(error)
