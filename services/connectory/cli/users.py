"""`connectory users`: the users of `security.yml`."""

import sys

import typer

from connectory.domain.errors import SettingsInvalid

app = typer.Typer(help="The users of the security file.", no_args_is_help=True)


@app.callback()
def users() -> None:
    """The users of the security file."""


@app.command("hash")
def hash_() -> None:
    """Print the hash of a password, for `password_hash` in the security file.

    Asks for the password twice, or reads it from the first line of the standard input when that is no terminal.
    """
    from connectory.infra.passwords import hash_password

    typer.echo(hash_password(_password()))


def _password() -> str:
    if sys.stdin.isatty():
        entered: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return entered
    password = sys.stdin.readline().removesuffix("\n")
    if not password:
        raise SettingsInvalid("there is no password on the standard input")
    return password
