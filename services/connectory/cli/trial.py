"""`connectory test`: runs an action through a connector now, and shows what came of it."""

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connectory.cli.gateway_client import PasswordFile, Space, Url, User, open_client
from connectory.cli.options import DEFAULT_DATA_DIR, DataDir
from connectory.domain.spaces import DEFAULT_SPACE

if TYPE_CHECKING:
    from connectory.client import ExecutionResult

FAILED = 2


def run_once(
    connector: Annotated[str, typer.Argument(help="The connector, by its id.")],
    params: Annotated[str, typer.Option(help="The params of the action, a JSON object.")] = "{}",
    as_json: Annotated[bool, typer.Option("--json", help="The answer as it came, as JSON.")] = False,
    space: Space = DEFAULT_SPACE,
    url: Url = None,
    user: User = "admin",
    password_file: PasswordFile = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Run an action through a connector, once, and wait for it. Exit code 2 when it failed."""
    given = _object(params)

    async def run() -> "ExecutionResult":
        async with open_client(space, url, user, password_file, data_dir) as client:
            return await client.execute(connector, given)

    result = asyncio.run(run())
    typer.echo(result.model_dump_json(exclude_none=True) if as_json else _told(result))
    if result.status != "ok":
        raise typer.Exit(FAILED)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"--params is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise typer.BadParameter('--params has to be a JSON object, such as \'{"message": "hello"}\'')
    return value


def _told(result: "ExecutionResult") -> str:
    if result.status == "ok":
        shown = "" if result.data is None else f"\n{json.dumps(result.data, indent=2, ensure_ascii=False)}"
        return typer.style("ok", fg="green") + shown
    lines = [typer.style("error", fg="red") + f"  {result.message or ''}"]
    if result.service_message:
        lines.append(f"       {result.service_message}")
    return "\n".join(lines)
