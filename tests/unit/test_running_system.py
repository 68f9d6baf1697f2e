"""The file by which a running system is found."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from connectory.infra.running_system import NotFindable, NotRunning, RunningSystem

SYSTEM = RunningSystem(
    url="http://127.0.0.1:5601", kafka_bootstrap_servers="127.0.0.1:9092", database_url=None, pids={"gateway": 1}
)
WRONG_TYPES = '{"url": 1, "kafka_bootstrap_servers": 2, "database_url": ["postgresql://u:hunter2@h/d"]}'


def test_what_is_written_is_found(tmp_path: Path) -> None:
    SYSTEM.write(tmp_path)

    assert RunningSystem.find(tmp_path) == SYSTEM


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    SYSTEM.write(tmp_path)

    assert (tmp_path / "runtime.json").stat().st_mode & 0o777 == 0o600


def test_nothing_is_found_after_a_clean_end(tmp_path: Path) -> None:
    SYSTEM.write(tmp_path)
    RunningSystem.remove(tmp_path)
    RunningSystem.remove(tmp_path)

    with pytest.raises(NotRunning, match="start one with `connectory up`"):
        RunningSystem.find(tmp_path)


def test_a_system_that_was_killed_is_not_running(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    replace(SYSTEM, pids={"gateway": ended.pid}).write(tmp_path)

    with pytest.raises(NotRunning, match="no running Connectory"):
        RunningSystem.find(tmp_path)


@pytest.mark.parametrize("text", ["", "{}", "[]", "\xff", WRONG_TYPES])
def test_a_file_that_is_none_of_ours_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "runtime.json").write_text(text, encoding="latin-1")

    with pytest.raises(NotFindable, match=r"cannot read .*: it does not hold what `connectory up` writes") as caught:
        RunningSystem.find(tmp_path)
    assert "hunter2" not in str(caught.value)
