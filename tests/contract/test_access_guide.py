"""The guide on access: its files are taken as they stand, its commands run as they are written."""

import asyncio
import re
from pathlib import Path

from connectory.domain.privileges import Right
from connectory.infra.security_file import load_security
from connectory.infra.settings import load_settings
from tests.http_gateway import http_gateway, reading_replies
from tests.unit.installation import Installation

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/how-to/give-people-access.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, flags=re.MULTILINE | re.DOTALL)


async def shell(commands: str, directory: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-euo",
        "pipefail",
        "-c",
        commands,
        cwd=directory,
        stdout=-1,
        stderr=-2,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60.0)
    assert process.returncode == 0, output.decode()
    return output.decode()


def test_the_security_file_of_the_guide_is_taken_as_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "security.yml"
    file.write_text(blocks("yaml")[0], encoding="utf-8")
    security = load_security(file)

    ops = security.privileges_of(security.users["alice"].roles)
    assert Right.CREATE in ops.at("sales")
    assert Right.CREATE not in ops.at("default")
    assert Right.COPY_TO_SPACES in security.roles["head_of_sales"].at("sales")


def test_the_settings_of_the_guide_are_taken_as_they_stand(tmp_path: Path) -> None:
    file = tmp_path / "connectory.yml"
    file.write_text(blocks("yaml")[1], encoding="utf-8")

    security = load_settings(config_file=file, environ={}).security
    assert (security.oidc_audience, security.oidc_roles_claim) == ("connectory", "realm_access.roles")


async def test_the_commands_of_the_guide_work_as_written(tmp_path: Path) -> None:
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    (tmp_path / ".connectory").mkdir()
    (tmp_path / ".connectory/admin-password").write_text("pässword\n", encoding="utf-8")
    hashing, *calls = blocks("sh")
    async with http_gateway(await Installation().create_topics()) as gateway:
        await reading_replies(gateway)
        commands = "".join(calls).replace("http://127.0.0.1:5601", gateway.url)
        hashed, output = await asyncio.gather(shell(hashing, tmp_path), shell(commands, tmp_path))

    assert hashed.startswith("$argon2id$")
    assert '"encoded"' in output
    assert '"items"' in output
    assert "statusCode" not in output
