"""Who may work in a data directory, and what becomes of processes when their owner is gone. No servers."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM

import psutil
import pytest

from connectory.infra.embedded import CannotProvision, DataDirHeld, ServerProcess, hold_data_dir
from connectory.infra.embedded.leftovers import (
    ProcessRecord,
    end_leftover,
    read_record,
    record_process,
    until_deserted,
    works_in,
)
from connectory.infra.embedded.processes import Launch, Ready, Server, explain

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
DEADLINE_SECONDS = 30.0

PARENT = """
import asyncio, sys
from pathlib import Path
from signal import SIGTERM
from connectory.infra.embedded.processes import Launch, spawn

async def main():
    here = Path(sys.argv[1])
    child = await spawn(Launch(sys.argv[2:], here, here / "output", SIGTERM))
    print(child.pid, flush=True)
    await child.wait()

asyncio.run(main())
"""


@contextmanager
def sleeper(directory: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(SLEEPER, cwd=directory) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_data_directory_has_one_holder(tmp_path: Path) -> None:
    refused = pytest.raises(DataDirHeld, match=rf"{tmp_path} is in use .* pid {os.getpid()}")
    with hold_data_dir(tmp_path), refused, hold_data_dir(tmp_path):
        pass


def test_a_data_directory_is_free_again_after_its_holder(tmp_path: Path) -> None:
    with hold_data_dir(tmp_path / "new") as first:
        pass
    with hold_data_dir(tmp_path / "new") as second:
        assert first == second


def test_a_file_in_place_of_the_data_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with (
        pytest.raises(CannotProvision, match=r"data is a file where a directory is needed"),
        hold_data_dir(tmp_path / "data"),
    ):
        pass


def test_a_recorded_process_is_ended(tmp_path: Path) -> None:
    with sleeper() as process:
        record_process(tmp_path / "pid.json", process.pid, port=1)
        end_leftover(tmp_path / "pid.json", SIGTERM)
        assert not psutil.pid_exists(process.pid)


def test_another_process_with_the_recorded_pid_is_left_alone(tmp_path: Path) -> None:
    with sleeper() as process:
        record_process(tmp_path / "pid.json", process.pid, port=1)
        earlier = read_record(tmp_path / "pid.json")
        assert earlier is not None
        text = (tmp_path / "pid.json").read_text().replace(str(earlier.started_at), str(earlier.started_at - 60))
        (tmp_path / "pid.json").write_text(text)
        end_leftover(tmp_path / "pid.json", SIGTERM)
        assert process.poll() is None


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"pid": "x", "started_at": 1, "port": 1}'])
def test_a_record_that_cannot_be_read_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "pid.json").write_text(text)
    assert read_record(tmp_path / "pid.json") is None


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record_process(tmp_path / "pid.json", os.getpid(), port=5)
    assert read_record(tmp_path / "pid.json") == ProcessRecord(os.getpid(), psutil.Process().create_time(), 5)


def test_a_process_works_in_its_working_directory_only(tmp_path: Path) -> None:
    assert works_in(os.getpid(), Path.cwd())
    assert not works_in(os.getpid(), tmp_path)


async def test_whoever_works_in_a_directory_is_waited_for(tmp_path: Path) -> None:
    with sleeper(tmp_path) as process:
        asyncio.get_running_loop().call_later(0.1, process.kill)
        await until_deserted(tmp_path)
        assert process.poll() == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_a_child_dies_with_its_killed_parent(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path), *SLEEPER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)
    child.wait(DEADLINE_SECONDS)


async def test_a_server_that_ends_while_it_starts_shows_what_it_logged_this_time(tmp_path: Path) -> None:
    (tmp_path / "output").write_text("of an earlier run\n")
    command = [sys.executable, "-c", "import sys; sys.exit('No space left on device')"]
    process = ServerProcess(_server(tmp_path, command, ready=_never))
    with pytest.raises(CannotProvision) as raised:
        await process.start()
    assert "exit code 1" in raised.value.message
    assert "free some space" in raised.value.message
    assert "of an earlier run" not in raised.value.message


async def test_whoever_waits_for_a_server_learns_of_its_death(running: ServerProcess) -> None:
    waiting = asyncio.create_task(running.wait())
    os.kill(running.pid, signal.SIGKILL)
    async with asyncio.timeout(DEADLINE_SECONDS):
        assert await waiting == -signal.SIGKILL


async def test_a_restarted_server_is_another_process(running: ServerProcess) -> None:
    before = running.pid
    await running.restart()
    assert running.pid != before
    assert not psutil.pid_exists(before)


def test_advice_fits_what_was_logged() -> None:
    assert "start again" in explain(["java.net.BindException: Address already in use"])
    assert "begin anew" in explain(["something else"])


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    process = ServerProcess(_server(tmp_path, SLEEPER, ready=_at_once))
    await process.start()
    yield process
    await process.stop()


async def _at_once(pid: int) -> None:
    assert psutil.pid_exists(pid)


async def _never(pid: int) -> None:
    del pid
    await asyncio.Event().wait()


def _server(directory: Path, command: Sequence[str], ready: Ready) -> Server:
    launch = Launch(command, directory, directory / "output", SIGTERM)
    return Server("Sleeper", 1, launch, ready, record=directory / "pid.json", log=directory / "log")
