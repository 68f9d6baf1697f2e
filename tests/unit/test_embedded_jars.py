"""The broker's jars: pinned, downloaded once, refused when they are not what they should be. No network."""

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest
import requests
from jgo.maven import Artifact, PythonResolver

from connectory.infra.embedded import CannotProvision, Silent
from connectory.infra.embedded.jars import Jar, pinned_jars, provide_jars

CONTENT = b"a jar"
JAR = Jar(hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), "org.example:thing:1.0")


class Watcher(Silent):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.advances: list[tuple[int, int]] = []

    def step(self, text: str) -> None:
        self.steps.append(text)

    def advance(self, done: int, total: int) -> None:
        self.advances.append((done, total))


class Repository:
    """What the downloader finds behind the network."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.content: bytes | requests.RequestException = CONTENT
        self.meeting = Barrier(1)
        repository = self

        def download(self: PythonResolver, artifact: Artifact) -> Path:
            return repository.download(self, artifact)

        monkeypatch.setattr(PythonResolver, "download", download)

    def download(self, resolver: PythonResolver, artifact: Artifact) -> Path:
        path = artifact.cached_path
        assert path is not None
        assert resolver.progress_callback is not None
        self.meeting.wait(10)
        if isinstance(self.content, requests.RequestException):
            raise self.content
        path.parent.mkdir(parents=True)
        path.write_bytes(self.content)
        with resolver.progress_callback(path.name, len(self.content)) as advance:
            advance(len(self.content))
        return path


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> Repository:
    return Repository(monkeypatch)


def test_a_missing_jar_is_downloaded_and_progress_told(tmp_path: Path, repository: Repository) -> None:
    watcher = Watcher()
    (path,) = provide_jars(tmp_path, watcher, jars=[JAR])
    assert path.read_bytes() == CONTENT
    assert watcher.steps == ["Downloading Kafka (0 MB, once)"]
    assert watcher.advances == [(len(CONTENT), len(CONTENT))]


def test_jars_in_the_cache_are_not_downloaded_again(tmp_path: Path, repository: Repository) -> None:
    provide_jars(tmp_path, Silent(), jars=[JAR])
    repository.content = requests.ConnectionError("no network")
    watcher = Watcher()
    assert provide_jars(tmp_path, watcher, jars=[JAR]) == [tmp_path / "thing-1.0.jar"]
    assert watcher.steps == []


def test_a_downloaded_jar_with_another_checksum_is_refused_and_not_kept(tmp_path: Path, repository: Repository) -> None:
    repository.content = b"another jar"
    with pytest.raises(CannotProvision, match=r"thing-1\.0\.jar .*sha256 .* expected "):
        provide_jars(tmp_path, Silent(), jars=[JAR])
    assert list(tmp_path.iterdir()) == []


def test_a_jar_in_the_cache_with_another_checksum_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thing-1.0.jar").write_bytes(b"another jar")
    with pytest.raises(CannotProvision, match=r"thing-1\.0\.jar .*sha256 .* expected .*delete it"):
        provide_jars(tmp_path, Silent(), jars=[JAR])


def test_without_a_network_the_message_says_what_to_do(tmp_path: Path, repository: Repository) -> None:
    repository.content = requests.ConnectionError("no route to host")
    with pytest.raises(CannotProvision, match=r"thing:1\.0 cannot be .*no route to host.*KAFKA_BOOTSTRAP_SERVERS"):
        provide_jars(tmp_path, Silent(), jars=[JAR])


def test_two_that_download_at_once_both_get_whole_jars(tmp_path: Path, repository: Repository) -> None:
    repository.meeting = Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(provide_jars, tmp_path, Silent(), None, [JAR]) for _ in range(2)]
    assert [future.result()[0].read_bytes() for future in both] == [CONTENT, CONTENT]
    assert [path.name for path in tmp_path.iterdir()] == ["thing-1.0.jar"]


def test_a_download_can_be_given_up(tmp_path: Path, repository: Repository) -> None:
    abandoned = Event()
    abandoned.set()
    with pytest.raises(CannotProvision, match="given up"):
        provide_jars(tmp_path, Silent(), abandoned, [JAR])
    assert list(tmp_path.iterdir()) == []


def test_a_start_with_all_jars_does_not_load_the_downloader() -> None:
    program = "import sys, connectory.infra.embedded; sys.exit('jgo' in sys.modules or 'requests' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_every_jar_is_pinned_once_by_checksum() -> None:
    jars = pinned_jars()
    assert len({jar.file_name for jar in jars}) == len(jars)
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in jars)
    assert "kafka_2.13-4.1.1.jar" in {jar.file_name for jar in jars}
