"""The command line. One file a command; this one registers them and translates errors for the terminal.

Commands import what they need when they run, so that `connectory --help` answers at once.
"""

from typing import Annotated

import typer

from connectory import __version__
from connectory.cli import (
    connectors,
    dead_letters,
    doctor,
    keys,
    outcomes,
    projections,
    replay,
    request,
    serve,
    topics,
    trial,
    types,
    up,
    users,
)
from connectory.cli.reporting import ReportingGroup
from connectory.infra.logging import configure_logging

app = typer.Typer(
    cls=ReportingGroup,
    help="Connections to other systems in one central place: manage connectors, run actions, see what happened.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(up.up)
app.command()(serve.serve)
app.command()(request.request)
app.command()(outcomes.outcomes)
app.command()(replay.replay)
app.command(name="test")(trial.run_once)
app.command()(types.types)
app.command()(doctor.doctor)
app.add_typer(connectors.app, name="connectors")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(topics.app, name="topics")
app.add_typer(projections.app, name="projections")
app.add_typer(keys.app, name="keys")
app.add_typer(users.app, name="users")


def main() -> None:
    app(prog_name="connectory")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"connectory {__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks, and messages for debugging.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Connections to other systems in one central place: manage connectors, run actions, see what happened."""
    configure_logging("debug" if debug else "warning", json_lines=False)
