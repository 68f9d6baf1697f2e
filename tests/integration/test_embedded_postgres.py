"""A PostgreSQL of our own: what it keeps, whom it lets in, and what it says when it cannot start."""

import asyncio
import socket
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import asyncpg
import pytest

from connectory.infra.embedded import CannotProvision, DataDirHeld, EmbeddedPostgres, embedded_postgres
from connectory.infra.embedded.ports import LOOPBACK, free_port
from tests import sql


async def test_data_and_address_stay_over_a_restart(data_dir: Path) -> None:
    async with embedded_postgres(data_dir) as first:
        await sql.execute(first.url, "CREATE TABLE kept AS SELECT 42 AS number")
    async with embedded_postgres(data_dir) as second:
        assert second.url == first.url
        assert await sql.value(second.url, "SELECT number FROM kept") == 42


async def test_a_killed_server_comes_back_with_its_data(data_dir: Path) -> None:
    async with embedded_postgres(data_dir) as server:
        # A commit that is waited for, unlike those of the projections.
        await sql.execute(server.url, "SET synchronous_commit = on; CREATE TABLE kept AS SELECT 42 AS number")
        await server.process.restart()
        assert await sql.value(server.url, "SELECT number FROM kept") == 42


async def test_two_data_directories_run_side_by_side(data_dir: Path, postgres_url: str) -> None:
    async with embedded_postgres(data_dir) as other:
        assert await sql.value(other.url, "SELECT 1") == await sql.value(postgres_url, "SELECT 1")
        assert other.url != postgres_url


async def test_nobody_gets_in_without_the_password(postgres_url: str) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres_url, password="guessed")


async def test_it_listens_on_the_loopback_interface_only(postgres_url: str) -> None:
    assert await sql.value(postgres_url, "SHOW listen_addresses") == LOOPBACK
    assert await sql.value(postgres_url, "SHOW unix_socket_directories") == ""


async def test_the_password_is_not_in_what_is_printed(postgres_server: EmbeddedPostgres, server_dir: Path) -> None:
    password = (server_dir / "postgres" / "password").read_text().strip()
    assert password in postgres_server.url
    assert password not in repr(postgres_server)
    assert (server_dir / "postgres" / "password").stat().st_mode & 0o777 == 0o600


async def test_lower_case_is_that_of_every_language(postgres_url: str) -> None:
    assert await sql.value(postgres_url, "SELECT lower('ÄÖÉ')") == "äöé"


async def test_a_taken_port_is_named(data_dir: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotProvision, match=rf"port {port} .*is taken"):
            async with embedded_postgres(data_dir, port):
                pass


async def test_a_port_that_somebody_takes_in_the_meantime_is_exchanged_for_another(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        chosen = iter([taken.getsockname()[1], free_port()])
        monkeypatch.setattr("connectory.infra.embedded.postgres.choose_port", lambda *_, **__: next(chosen))
        async with embedded_postgres(data_dir) as server:
            assert await sql.value(server.url, "SELECT 1") == 1


async def test_a_second_server_on_the_same_data_is_refused(server_dir: Path, postgres_url: str) -> None:
    with pytest.raises(DataDirHeld, match=r"in use by the process with pid \d+"):
        async with embedded_postgres(server_dir):
            pass
    assert await sql.value(postgres_url, "SELECT 1") == 1


@pytest.mark.parametrize("version", ["9.6", "12", "nonsense"])
async def test_data_of_another_version_are_refused(data_dir: Path, version: str) -> None:
    (data_dir / "postgres" / "data").mkdir(parents=True)
    (data_dir / "postgres" / "data" / "PG_VERSION").write_text(f"{version}\n")
    with pytest.raises(CannotProvision, match=rf"version {version}, and only .* remove it"):
        async with embedded_postgres(data_dir):
            pass


async def test_damaged_data_are_reported_with_the_end_of_the_log(data_dir: Path) -> None:
    async with embedded_postgres(data_dir):
        pass
    (data_dir / "postgres" / "data" / "global" / "pg_control").write_bytes(b"")
    with pytest.raises(CannotProvision, match=r"(?s)ended with exit code .*postgres\.log, ends with:.*pg_control"):
        async with embedded_postgres(data_dir):
            pass


async def test_the_lock_file_of_a_dead_server_is_no_obstacle(data_dir: Path) -> None:
    async with embedded_postgres(data_dir):
        pass
    # As after a reboot: the pid is now that of a process that has nothing to do with it.
    stranger = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=PIPE)
    (data_dir / "postgres" / "data" / "postmaster.pid").write_text(f"{stranger.pid}\n")
    async with embedded_postgres(data_dir) as server:
        assert await sql.value(server.url, "SELECT 1") == 1
    assert stranger.returncode is None
    await stranger.communicate(b"\n")
