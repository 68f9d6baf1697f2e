"""Publishes the requests of a JSON-lines file to Kafka and waits for what becomes of them.

    python examples/publish_requests.py requests.jsonl

The broker is that of a `connectory up` in this directory, or the one named by KAFKA_BOOTSTRAP_SERVERS.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from connectory.client import ActionRequestPublisher, NewActionRequest, OutcomeConsumer, open_log, read_requests
from connectory.domain.errors import ConnectoryError


async def publish_and_wait(requests: Sequence[NewActionRequest], data_dir: Path) -> Counter[str]:
    """Return how many requests ended with which outcome."""
    async with (
        open_log(data_dir=data_dir) as log,
        OutcomeConsumer.over(log) as outcomes,
        ActionRequestPublisher.over(log) as publisher,
    ):
        published = await publisher.publish_many(requests)
        return await count_outcomes(outcomes, set(published))


async def count_outcomes(outcomes: OutcomeConsumer, published: Collection[str]) -> Counter[str]:
    """A request that repeats one of the last hour has no outcome of its own: it is counted as a duplicate."""
    counted: Counter[str] = Counter()
    answers = outcomes.answers(published)
    for _ in track(range(len(published)), description="Outcomes"):
        outcome = await anext(answers)
        counted[outcome.outcome or outcome.action] += 1
    return counted


def main(
    file: Annotated[typer.FileText, typer.Argument(help="Requests, one JSON object a line; - reads standard input.")],
    data_dir: Annotated[Path, typer.Option(help="The data directory of a running system.")] = Path(".connectory"),
) -> None:
    """Publish requests to Kafka and show what becomes of them."""
    try:
        counted = asyncio.run(publish_and_wait(list(read_requests(file)), data_dir))
    except ConnectoryError as error:
        typer.secho(f"Error: {error}", fg="red", err=True)
        raise typer.Exit(1) from None
    for outcome, number in counted.most_common():
        typer.echo(f"{outcome}: {number}")


if __name__ == "__main__":
    typer.run(main)
