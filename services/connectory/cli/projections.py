"""`connectory projections`: the tables in Postgres that are folded from the log."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connectory.cli.options import DEFAULT_DATA_DIR, Config, DataDir
from connectory.domain.errors import SettingsInvalid

if TYPE_CHECKING:
    from connectory.infra.settings import Settings
    from connectory.projector import RebuildReport
    from connectory_projections.model import AnyProjection

app = typer.Typer(help="The tables in Postgres that are folded from the log.", no_args_is_help=True)


@app.command(name="list")
def list_projections() -> None:
    """Print the names of the projections."""
    from connectory_projections import ALL

    for projection in ALL:
        typer.echo(projection.name)


@app.command()
def rebuild(
    name: Annotated[str, typer.Argument(help="The projection, as `connectory projections list` names it.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    config: Config = None,
) -> None:
    """Fold a projection anew from the log, beside the live tables, and put it in their place."""
    from connectory.cli.lifecycle import run_busy

    report = run_busy(_rebuild(_projection(name), data_dir, config))
    typer.echo(f"rebuilt {report.projection} from {report.events:,} events")
    if report.skipped:
        typer.echo(f"{report.skipped:,} records could not be decoded and were passed over")
    if report.carried_over:
        typer.echo(f"{report.carried_over:,} rows were carried over: their records have left the log")
    for each in report.comparisons:
        verdict = "the same as before" if each.is_same else "differs from before"
        typer.echo(f"{each.table}: {verdict}, {each.rebuilt.rows:,} rows")


def _projection(name: str) -> "AnyProjection":
    from connectory_projections import ALL

    for projection in ALL:
        if projection.name == name:
            return projection
    known = ", ".join(projection.name for projection in ALL)
    raise typer.BadParameter(f"there is no projection {name}; there are {known}")


async def _rebuild(projection: "AnyProjection", data_dir: Path, config: Path | None) -> "RebuildReport":
    from connectory.cli.progress import ShownProgress
    from connectory.client import open_log
    from connectory.infra.messages import Messages
    from connectory.infra.postgres import open_database
    from connectory.infra.schema_registry import open_schemas
    from connectory.infra.settings import load_settings
    from connectory.projector import rebuild

    settings = load_settings(config_file=config)
    async with (
        open_log(settings.kafka, data_dir=data_dir) as log,
        open_schemas(settings.schema_registry) as schemas,
        open_database(database_url(settings, data_dir)) as database,
    ):
        with ShownProgress(unit="events") as shown:
            shown.step(f"Rebuilding {projection.name}")
            return await rebuild(
                projection,
                log,
                Messages(schemas),
                database,
                retention=settings.event_log.retention,
                progress=lambda progress: shown.advance(progress.done, progress.total),
            )


def database_url(settings: "Settings", data_dir: Path) -> str:
    """The address that is set, or that of the running system. Raises `SettingsInvalid`, `NotRunning`."""
    from connectory.client import RunningSystem

    url = settings.database.url or RunningSystem.find(data_dir).database_url
    if url is None:
        raise SettingsInvalid("connectory.database.url is not set: say where Postgres is, by DATABASE_URL for example")
    return url
