"""`connectory keys`: the keys that seal secrets."""

import typer

app = typer.Typer(help="The keys that seal secrets.", no_args_is_help=True)


@app.callback()
def keys() -> None:
    """The keys that seal secrets."""


@app.command()
def generate() -> None:
    """Print a new random key, for the setting xpack.encryptedSavedObjects.encryptionKey.

    Keep it: nothing else opens the secrets that it seals.
    """
    from connectory.infra.crypto import generate_key

    typer.echo(generate_key())
