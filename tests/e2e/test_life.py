"""Starting, ending, starting again: what stays, and what does not."""

import asyncio
import json
import os
import signal
from pathlib import Path

import psutil
from aiohttp import ClientSession

from connectory.client import (
    ActionRequestPublisher,
    ConnectoryClient,
    EventLogItem,
    NewActionRequest,
    OutcomeConsumer,
    RunningSystem,
    open_log,
)
from connectory.client.api import basic_authorization
from connectory.infra.settings import KafkaSettings
from tests.e2e.program import Up, start, up
from tests.waiting import until


async def until_logged(client: ConnectoryClient, connector_id: str, count: int) -> None:
    """The event log over HTTP follows the runs a moment later."""
    items: list[EventLogItem] = []
    async with asyncio.timeout(30.0):
        while len(items) < count:
            items = [item async for item in client.event_log(connector_id=connector_id, outcome="success")]


async def api_key(system: Up) -> str:
    """A new key of the admin's, as it is sent."""
    headers = {"kbn-xsrf": "test", "Authorization": basic_authorization("admin", system.password)}
    async with (
        ClientSession(headers=headers) as session,
        session.post(f"{system.url}/api/connectory/api_keys", json={"name": "kept"}) as answer,
    ):
        return str((await answer.json())["encoded"])


async def test_a_restart_keeps_connectors_keys_and_the_event_log_and_shows_the_password_no_more(data_dir: Path) -> None:
    async with up(data_dir / "up") as first, first.client() as client:
        await client.create_connector("Kept", ".server-log", connector_id="kept")
        await client.execute("kept", {"message": "before"})
        encoded = await api_key(first)
        password = first.password
        assert password in first.output

    async with up(data_dir / "up") as second, ConnectoryClient(second.url, api_key=encoded) as client:
        assert (await client.connector("kept")).name == "Kept"
        assert (await client.execute("kept", {"message": "after"})).status == "ok"
        await until_logged(client, "kept", 2)
        assert second.password == password
        assert password not in second.output


async def test_a_clean_end_leaves_no_process_and_no_file(data_dir: Path) -> None:
    async with up(data_dir / "up") as system:
        running = RunningSystem.find(system.data_dir)
        mode = (system.data_dir / "runtime.json").stat().st_mode & 0o777

        code = await system.end(signal.SIGTERM)

    assert (code, mode) == (0, 0o600)
    assert set(running.pids) == {"gateway", "aggregate", "executor", "projector", "kafka", "postgres"}
    assert not any(psutil.pid_exists(pid) for pid in running.pids.values())
    assert not (system.data_dir / "runtime.json").exists()


async def test_an_interrupt_during_the_start_ends_it(data_dir: Path) -> None:
    system = start(data_dir / "up")
    await until(lambda: "Starting" in system.output, 60.0, 0.02)

    assert await system.end(signal.SIGINT) == 0
    assert "Traceback" not in system.output


async def test_a_server_that_is_killed_is_started_again_and_nothing_is_lost(data_dir: Path) -> None:
    async with up(data_dir / "up") as system, system.client() as client:
        await client.create_connector("Survivor", ".server-log", connector_id="survivor")
        for server in ("postgres", "kafka"):
            await run_through_the_kill_of(server, system)


async def run_through_the_kill_of(server: str, system: Up) -> None:
    running = RunningSystem.find(system.data_dir)
    requests = [NewActionRequest(connector_id="survivor", params={"message": "hello"}) for _ in range(50)]
    async with (
        open_log(KafkaSettings(), data_dir=system.data_dir) as log,
        OutcomeConsumer.over(log) as outcomes,
        ActionRequestPublisher.over(log) as publisher,
    ):
        published = await publisher.publish_many(requests)
        os.kill(running.pids[server], signal.SIGKILL)
        async with asyncio.timeout(120.0):
            ended = {outcome.request_id async for outcome in outcomes.answers(published)}
    assert ended == set(published)
    await until(lambda: RunningSystem.find(system.data_dir).pids[server] != running.pids[server], 60.0, 0.05)


async def test_two_systems_run_side_by_side(system: Up, data_dir: Path) -> None:
    async with up(data_dir / "up") as other, system.client() as here, other.client() as there:
        await there.create_connector("There", ".server-log", connector_id="only-there")
        assert "only-there" not in [each.id for each in await here.connectors()]


async def test_in_memory_nothing_survives_and_the_user_is_told(data_dir: Path) -> None:
    async with up(data_dir / "up", "--memory") as system, system.client() as client:
        await client.create_connector("Gone", ".server-log", connector_id="gone")
        assert (await client.execute("gone", {"message": "hello"})).status == "ok"
        runtime = json.loads((system.data_dir / "runtime.json").read_text())
        assert runtime["kafka_bootstrap_servers"] is None
        assert "Nothing survives this process" in system.output

    async with up(data_dir / "up", "--memory") as system, system.client() as client:
        assert await client.connectors() == []
