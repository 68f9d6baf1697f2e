"""`connectory connectors`: take connectors to another installation or space, as files without secrets."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from connectory.cli.gateway_client import PasswordFile, Space, Url, User, open_client
from connectory.cli.options import DEFAULT_DATA_DIR, DataDir
from connectory.cli.reporting import printable
from connectory.domain.spaces import DEFAULT_SPACE

if TYPE_CHECKING:
    from connectory.client import ImportResult

NOT_ALL = 2

app = typer.Typer(help="Take connectors to another installation or space.", no_args_is_help=True)


@app.command(name="export")
def export_connectors(
    file: Annotated[typer.FileBinaryWrite, typer.Argument(help="Where they go; - is standard output.")],
    space: Space = DEFAULT_SPACE,
    url: Url = None,
    user: User = "admin",
    password_file: PasswordFile = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Write all connectors of a space to a file, one a line, without their secrets."""

    async def export() -> bytes:
        async with open_client(space, url, user, password_file, data_dir) as client:
            return await client.export_connectors()

    file.write(asyncio.run(export()))


@app.command(name="import")
def import_connectors(
    file: Annotated[typer.FileBinaryRead, typer.Argument(help="What was exported; - is standard input.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there under the same ids.")] = False,
    new_copies: Annotated[bool, typer.Option("--new-copies", help="Give every connector a new id.")] = False,
    space: Space = DEFAULT_SPACE,
    url: Url = None,
    user: User = "admin",
    password_file: PasswordFile = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Bring in the connectors of a file. While there is a conflict nothing is written; exit code 2 unless all came in.

    Those that need secrets are given them by an update.
    """
    content = file.read()

    async def bring_in() -> "ImportResult":
        async with open_client(space, url, user, password_file, data_dir) as client:
            return await client.import_connectors(content, overwrite=overwrite, new_copies=new_copies)

    result = asyncio.run(bring_in())
    _show(result)
    if not result.success:
        raise typer.Exit(NOT_ALL)


def _show(result: "ImportResult") -> None:
    written = not any(each.is_resolvable for each in result.errors)
    for connector in result.imported:
        under = f" as {connector.destination_id}" if connector.destination_id else ""
        typer.echo(f"{'imported' if written else 'held up'}: {printable(connector.id)}{under}")
    for failed in result.errors:
        typer.echo(f"{failed.error['type']}: {printable(failed.id)}{_details(failed.error.get('message'))}", err=True)
    for warning in result.warnings:
        typer.echo(printable(str(warning["message"])), err=True)


def _details(message: object) -> str:
    return f" ({printable(str(message))})" if message else ""
