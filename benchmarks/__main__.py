"""`python -m benchmarks NAME [--json]`: a table, and with `--json` one JSON object as the last line."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import executor, latency

Figures = dict[str, float]


class Name(StrEnum):
    EXECUTOR = "executor"
    LATENCY = "latency"


BENCHMARKS: dict[Name, Callable[[], Coroutine[Any, Any, Figures]]] = {
    Name.EXECUTOR: executor.measure,
    Name.LATENCY: latency.measure,
}


def main(
    name: Annotated[Name, typer.Argument(help="What to measure.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object in the end.")] = False,
) -> None:
    """Measure Connectory on this machine, against a ceiling measured in the same run."""
    figures = asyncio.run(BENCHMARKS[name]())
    table = Table("figure", "value", title=f"benchmark {name}")
    for figure, value in figures.items():
        table.add_row(figure, f"{value:,.2f}")
    Console(stderr=as_json).print(table)
    if as_json:
        typer.echo(json.dumps({figure: round(value, 3) for figure, value in figures.items()}))


if __name__ == "__main__":
    typer.run(main)
