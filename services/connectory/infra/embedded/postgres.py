"""A real PostgreSQL as our child, on the loopback interface, with a password of its own."""

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGINT
from typing import Final

import asyncpg

from connectory.infra.embedded.data_dir import hold_data_dir, require_space
from connectory.infra.embedded.errors import CannotProvision, writing_to
from connectory.infra.embedded.leftovers import end_leftover, read_record, works_in
from connectory.infra.embedded.ports import LOOPBACK, choose_port
from connectory.infra.embedded.postgres_account import open_to, postgres_account
from connectory.infra.embedded.postgres_programs import NEWEST, PROGRAMS
from connectory.infra.embedded.processes import Account, Launch, Server, ServerProcess, run, started
from connectory.infra.embedded.progress import Progress, Silent

USER: Final = "connectory"
DATABASE: Final = "connectory"
POLL_SECONDS: Final = 0.02
RECORD: Final = "server.pid.json"

SETTINGS: Final[Mapping[str, str | int]] = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": 100,
    "shared_buffers": "128MB",
    # What is kept here is folded from the log, together with how far it is, in one transaction. A crash may take the
    # last fractions of a second of both, never one without the other, and the projector reads them again.
    "synchronous_commit": "off",
    "max_wal_size": "512MB",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """A database that answers. The URL holds the password."""

    url: str = field(repr=False)
    process: ServerProcess


@dataclass(frozen=True, slots=True)
class _Cluster:
    """Where a cluster is, and what runs it: `programs` is the directory of `postgres` and `initdb`."""

    directory: Path
    programs: Path
    account: Account | None
    password: str

    @property
    def data(self) -> Path:
        return self.directory / "data"

    def url(self, port: int, database: str = DATABASE) -> str:
        return f"postgresql://{USER}:{self.password}@{LOOPBACK}:{port}/{database}"


@asynccontextmanager
async def embedded_postgres(
    data_dir: Path, port: int | None = None, *, progress: Progress | None = None
) -> AsyncIterator[EmbeddedPostgres]:
    """Run a database whose data are in `data_dir`/postgres, until the context ends.

    Without `port` it is the one of the last run, or another if that is taken. Raises `CannotProvision`.
    """
    watched = progress or Silent()
    with hold_data_dir(data_dir / "postgres") as directory:
        require_space(directory)
        await asyncio.to_thread(end_leftover, directory / RECORD, SIGINT)
        cluster = await _prepare(directory, watched)
        watched.step("Starting PostgreSQL")
        process = await started(lambda: _prepared(cluster, port))
        try:
            await _create_database(cluster, process.port)
            yield EmbeddedPostgres(cluster.url(process.port), process)
        finally:
            await process.stop()


async def _prepared(cluster: _Cluster, wanted: int | None) -> Server:
    return _server(cluster, _choose_port(cluster.directory, wanted))


def _choose_port(directory: Path, wanted: int | None) -> int:
    last = read_record(directory / RECORD)
    return choose_port(wanted, preferred=last.port if last else None, setting="--postgres-port")


async def _prepare(directory: Path, progress: Progress) -> _Cluster:
    account = await asyncio.to_thread(postgres_account)
    programs = PROGRAMS[_version(directory / "data")]
    if account:
        open_to(account, directory, programs)
    with writing_to(directory):
        (directory / "log").mkdir(exist_ok=True)
        password = _password(directory / "password", account)
    cluster = _Cluster(directory, programs, account, password)
    if not cluster.data.exists():
        progress.step("Preparing PostgreSQL")
        await _initialise(cluster)
    _forget_dead_postmaster(cluster.data)
    return cluster


def _version(data: Path) -> int:
    """The major version to run: that of the data, which no other can read; the newest when there are none yet."""
    if not data.exists():
        return NEWEST
    try:
        found = (data / "PG_VERSION").read_text().strip()
    except OSError:
        found = "unknown"
    if not found.isdigit() or int(found) not in PROGRAMS:
        known = " or ".join(map(str, sorted(PROGRAMS)))
        raise CannotProvision(
            f"{data} holds data of PostgreSQL version {found}, and only {known} can be run: remove it (what it holds "
            "is rebuilt from Kafka's log), or choose another place with --data-dir"
        )
    return int(found)


def _password(path: Path, account: Account | None) -> str:
    """The database's password: 256 random bits, kept in a file that only its owner reads."""
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
    _give(path, account)
    return path.read_text().strip()


def _give(path: Path, account: Account | None) -> None:
    if account:
        os.chown(path, account.uid, account.gid)


async def _initialise(cluster: _Cluster) -> None:
    """Make the cluster beside its place and move it there when complete, so that there is never half of one."""
    unfinished = cluster.directory / "unfinished"
    with writing_to(unfinished):
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        _give(unfinished, cluster.account)
    await run(_initdb(cluster, unfinished), "make the data directory of the embedded PostgreSQL")
    unfinished.rename(cluster.data)


def _initdb(cluster: _Cluster, data: Path) -> Launch:
    command = [
        str(cluster.programs / "initdb"),
        f"--pgdata={data}",
        f"--username={USER}",
        f"--pwfile={cluster.directory / 'password'}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--no-locale",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
    ]
    return Launch(command, cluster.directory, cluster.directory / "log" / "initdb.log", SIGINT, cluster.account)


def _server(cluster: _Cluster, port: int) -> Server:
    settings = {**SETTINGS, "port": port}
    flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    command = [str(cluster.programs / "postgres"), "-D", str(cluster.data), *flags]
    log = cluster.directory / "log" / "postgres.log"
    return Server(
        name="PostgreSQL",
        port=port,
        launch=Launch(command, cluster.directory, log, SIGINT, cluster.account),
        ready=lambda pid: _until_ready(cluster.data, pid),
        record=cluster.directory / RECORD,
        log=log,
        ground=cluster.data,
    )


def _forget_dead_postmaster(data: Path) -> None:
    """Remove a lock file whose process is gone: after a reboot its pid may be anybody's, and the start be refused."""
    first = (_postmaster_lines(data) or [""])[0].strip()
    if first.isdigit() and works_in(int(first), data):
        raise CannotProvision(f"{data} is in use by a PostgreSQL that is not ours (pid {first}): stop it first")
    (data / "postmaster.pid").unlink(missing_ok=True)


def _postmaster_lines(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


async def _until_ready(data: Path, pid: int) -> None:
    while True:
        # The server tells its pid in the first line of this file and its state in the eighth. A crash leaves it behind.
        lines = [line.strip() for line in _postmaster_lines(data)]
        if lines[:1] == [str(pid)] and lines[7:8] == ["ready"]:
            return
        await asyncio.sleep(POLL_SECONDS)


async def _create_database(cluster: _Cluster, port: int) -> None:
    connection = await asyncpg.connect(cluster.url(port, "postgres"))
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f'CREATE DATABASE "{DATABASE}"')
    finally:
        await connection.close()
