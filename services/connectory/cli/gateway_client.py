"""How commands that speak to the gateway find it, and as whom they speak."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from connectory.client import ConnectoryClient

Space = Annotated[str, typer.Option(help="The space of the connectors.")]
Url = Annotated[str | None, typer.Option(help="Address of the gateway. Default: the one of the data directory.")]
User = Annotated[str, typer.Option(help="Who asks.")]
PasswordFile = Annotated[
    Path | None, typer.Option(help="Holds the user's password. Default: admin-password of the data directory.")
]


def open_client(
    space: str, url: str | None, user: str, password_file: Path | None, data_dir: Path
) -> "ConnectoryClient":
    """Raises `NotRunning`, and `BadParameter` for a password that cannot be read."""
    from connectory.client import ConnectoryClient, RunningSystem
    from connectory.infra.security import PASSWORD_FILE

    path = password_file or data_dir / PASSWORD_FILE
    address = url or RunningSystem.find(data_dir).url
    try:
        password = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"cannot read the password in {path}; name its file with --password-file") from error
    return ConnectoryClient(address, user, password, space=space)
