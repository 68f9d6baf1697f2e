"""The jars of the broker: pinned by checksum, downloaded once into the user's cache."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from threading import Event, Lock
from typing import Final

from platformdirs import user_cache_dir

from connectory.infra.embedded.errors import CannotProvision, writing_to
from connectory.infra.embedded.progress import Progress

PARALLEL_DOWNLOADS: Final = 6
READ_TIMEOUT_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Jar:
    """A pinned jar. `sha256` in hexadecimal, `size` in bytes, coordinates `group:artifact:version`."""

    sha256: str
    size: int
    coordinates: str

    @property
    def file_name(self) -> str:
        _, artifact, version = self.coordinates.split(":")
        return f"{artifact}-{version}.jar"


@cache
def pinned_jars() -> tuple[Jar, ...]:
    """The jars that the package was tested with."""
    lines = files("connectory.infra.embedded").joinpath("kafka_jars.txt").read_text().splitlines()
    fields = (line.split() for line in lines if line and not line.startswith("#"))
    return tuple(Jar(sha256, int(size), coordinates) for sha256, size, coordinates in fields)


def default_jar_cache() -> Path:
    return Path(user_cache_dir("connectory")) / "jars"


def provide_jars(
    cache_dir: Path, progress: Progress, abandoned: Event | None = None, jars: Sequence[Jar] | None = None
) -> list[Path]:
    """The paths of all jars, each with the pinned checksum. Blocks. Touches the network only for what is missing.

    Raises `CannotProvision` for a jar that cannot be downloaded or is not the pinned one, and when `abandoned` is set.
    """
    wanted = pinned_jars() if jars is None else jars
    missing = [jar for jar in wanted if not (cache_dir / jar.file_name).exists()]
    if missing:
        _download(missing, cache_dir, _Meter(progress, sum(jar.size for jar in missing), abandoned or Event()))
    paths = [cache_dir / jar.file_name for jar in wanted]
    for jar, path in zip(wanted, paths, strict=True):
        require_pinned(jar, path)
    return paths


def require_pinned(jar: Jar, path: Path) -> None:
    """Raise `CannotProvision` when a file is not the pinned jar."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != jar.sha256:
        raise CannotProvision(
            f"{path} is not the {jar.file_name} that Connectory was made with (sha256 {found}, expected {jar.sha256}): "
            "delete it and start again; if it comes back the same, do not trust where it is downloaded from"
        )


@dataclass(slots=True)
class _Meter:
    """Adds up the bytes of parallel downloads. jgo calls it: once for a file, then with each chunk's size."""

    progress: Progress
    total: int
    abandoned: Event
    done: int = 0
    lock: Lock = field(default_factory=Lock)

    @contextmanager
    def __call__(self, file_name: str, size: int) -> Iterator[Callable[[int], None]]:
        del file_name, size
        yield self._add

    def _add(self, count: int) -> None:
        if self.abandoned.is_set():
            raise CannotProvision("the download was given up")
        with self.lock:
            self.done += count
            self.progress.advance(min(self.done, self.total), self.total)


def _download(jars: Sequence[Jar], cache_dir: Path, meter: _Meter) -> None:
    meter.progress.step(f"Downloading Kafka ({meter.total / 1e6:.0f} MB, once)")
    with writing_to(cache_dir):
        cache_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=cache_dir) as unfinished:
            fetch = _fetcher(Path(unfinished), meter)
            with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
                for jar, path in zip(jars, pool.map(fetch, jars), strict=True):
                    require_pinned(jar, path)
                    # A rename, so that nobody ever sees half a jar, however many download at once.
                    path.replace(cache_dir / jar.file_name)


def _fetcher(directory: Path, meter: _Meter) -> Callable[[Jar], Path]:
    # Imported here because a start with a full cache should not pay for it.
    from jgo.maven import MavenContext, PythonResolver
    from requests import RequestException

    maven = MavenContext(PythonResolver(progress_callback=meter), directory, timeout=READ_TIMEOUT_SECONDS)

    def fetch(jar: Jar) -> Path:
        group, artifact, version = jar.coordinates.split(":")
        try:
            return maven.project(group, artifact).at_version(version).artifact().resolve()
        except (RequestException, RuntimeError) as error:
            raise CannotProvision(
                f"{jar.coordinates} cannot be downloaded from Maven Central ({error}): check the network and proxy "
                "settings and start again, or set KAFKA_BOOTSTRAP_SERVERS to a broker of yours"
            ) from error

    return fetch
