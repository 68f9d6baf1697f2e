"""`connectory keys`: the keys that seal secrets."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connectory.cli.options import DEFAULT_DATA_DIR, AsJson, Config, DataDir, KibanaConfig

if TYPE_CHECKING:
    from connectory.gateway.key_rotation import Rotated
    from connectory.gateway.sealed_connectors import Survey

FAILED = 1

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


@app.command()
def rotate(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count the connectors under each kind of key.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    config: Config = None,
    kibana_config: KibanaConfig = None,
) -> None:
    """Put everything that an old encryption key protects under the primary one, while actions run.

    The old keys stand in xpack.encryptedSavedObjects.keyRotation.decryptionOnlyKeys. They can be removed when a dry run
    finds nothing under them.
    """
    if dry_run:
        _show_survey(asyncio.run(_survey(data_dir, config, kibana_config)), as_json=as_json)
        return
    rotated = asyncio.run(_rotate(data_dir, config, kibana_config))
    _show_rotated(rotated, as_json=as_json)
    if rotated.failed:
        raise typer.Exit(FAILED)


async def _survey(data_dir: Path, config: Path | None, kibana_config: Path | None) -> "Survey":
    from connectory.cli.progress import ShownProgress
    from connectory.cli.rotation import open_rotation

    async with open_rotation(data_dir, config, kibana_config) as rotation:
        with ShownProgress(unit="events") as shown:
            shown.step("Looking at connectors")
            return await rotation.connectors.survey(shown.advance)


async def _rotate(data_dir: Path, config: Path | None, kibana_config: Path | None) -> "Rotated":
    from connectory.cli.progress import ShownProgress
    from connectory.cli.rotation import CALLER, open_rotation

    async with open_rotation(data_dir, config, kibana_config) as rotation:
        with ShownProgress(unit="events") as shown:
            shown.step("Rotating encryption keys")
            return await rotation.rotate(CALLER, progress=shown.advance)


def _show_survey(survey: "Survey", *, as_json: bool) -> None:
    counts = {"total": survey.total, "old_key": len(survey.on_old_key), "unknown_key": survey.on_unknown_key}
    if as_json:
        typer.echo(json.dumps(counts, separators=(",", ":")))
        return
    typer.echo(f"connectors: {survey.total:,}")
    typer.echo(f"under an old key, to be rotated: {len(survey.on_old_key):,}")
    typer.echo(f"under a key that is not configured: {survey.on_unknown_key:,}")


def _show_rotated(rotated: "Rotated", *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(rotated), separators=(",", ":")))
        return
    typer.echo(f"rotated: {rotated.successful:,}, failed: {rotated.failed:,}, of {rotated.total:,} connectors")
