"""Prints outcomes as they are written to Kafka, until interrupted.

    python examples/consume_outcomes.py

The broker is that of a `connectory up` in this directory, or the one named by KAFKA_BOOTSTRAP_SERVERS.
"""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from connectory.client import BEGINNING, NOW, OutcomeConsumer, open_log
from connectory.domain.errors import ConnectoryError


async def consume(data_dir: Path, from_beginning: bool) -> None:
    start = BEGINNING if from_beginning else NOW
    async with open_log(data_dir=data_dir) as log, OutcomeConsumer.over(log, start=start) as outcomes:
        async for outcome in outcomes:
            result = outcome.outcome or outcome.action
            typer.echo(f"{outcome.at:%H:%M:%S}  {outcome.connector_id}  {outcome.request_id}  {result}")


def main(
    data_dir: Annotated[Path, typer.Option(help="The data directory of a running system.")] = Path(".connectory"),
    from_beginning: Annotated[bool, typer.Option(help="Start with the oldest outcome that is kept.")] = False,
) -> None:
    """Print outcomes as they are written to Kafka."""
    try:
        with suppress(KeyboardInterrupt):
            asyncio.run(consume(data_dir, from_beginning))
    except ConnectoryError as error:
        typer.secho(f"Error: {error}", fg="red", err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    typer.run(main)
