"""`connectory connectors` against a gateway: out into a file, and in again."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from connectory.cli import app
from connectory.infra.running_system import RunningSystem
from tests.http_gateway import HttpGateway, http_gateway, reading_replies
from tests.unit.installation import Installation

pytestmark = pytest.mark.usefixtures("process_as_before")


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[HttpGateway]:
    """Found by its data directory."""
    async with http_gateway(await Installation().create_topics()) as gateway:
        await reading_replies(gateway)
        await gateway.create("c1", name="hook")
        RunningSystem(url=gateway.url, kafka_bootstrap_servers=None, database_url=None).write(tmp_path)
        (tmp_path / "admin-password").write_text("pässword\n", encoding="utf-8")
        yield gateway


async def connectors(tmp_path: Path, *arguments: str) -> Result:
    """In a thread: the command has an event loop of its own."""
    given = ["connectors", *arguments, "--data-dir", str(tmp_path)]
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, given))


async def test_what_is_exported_can_be_imported_into_another_space(gateway: HttpGateway, tmp_path: Path) -> None:
    file = str(tmp_path / "out.ndjson")

    exported = await connectors(tmp_path, "export", file)
    imported = await connectors(tmp_path, "import", file, "--space", "sales")

    [copy] = (await gateway.get("/s/sales/api/actions/connectors")).body
    assert (exported.exit_code, imported.exit_code) == (0, 0)
    assert imported.stdout == f"imported: c1 as {copy['id']}\n"


async def test_a_conflict_is_named_and_can_be_overwritten(gateway: HttpGateway, tmp_path: Path) -> None:
    file = str(tmp_path / "out.ndjson")
    await connectors(tmp_path, "export", file)

    refused = await connectors(tmp_path, "import", file)
    done = await connectors(tmp_path, "import", file, "--overwrite")

    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.endswith("\nconflict: c1\n")
    assert (done.exit_code, done.stdout) == (0, "imported: c1\n")


async def test_a_file_that_is_none_is_refused_in_one_line(gateway: HttpGateway, tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("{", encoding="utf-8")

    refused = await connectors(tmp_path, "import", str(tmp_path / "bad"))

    assert refused.exit_code == 1
    assert refused.stderr.endswith("400: Invalid file content: line 1 is not JSON\n")


async def test_without_a_password_it_says_how_to_give_one(gateway: HttpGateway, tmp_path: Path) -> None:
    (tmp_path / "admin-password").unlink()

    refused = await connectors(tmp_path, "export", "-")

    assert refused.exit_code == 2
    assert "--password-file" in refused.stderr
