"""`python -m benchmarks NAME [--json]`: a table, and with `--json` one JSON object as the last line.

`python -m benchmarks all` runs every one, each in a process of its own, prints one table and writes `results.json`.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import event_log, executor, isolation, latency, queries, rebuild, report, restore
from benchmarks.bars import BARS, Figures


class Name(StrEnum):
    EXECUTOR = "executor"
    LATENCY = "latency"
    EVENT_LOG = "event_log"
    QUERIES = "queries"
    RESTORE = "restore"
    REBUILD = "rebuild"
    ISOLATION = "isolation"
    ALL = "all"


BENCHMARKS: dict[Name, Callable[[], Coroutine[Any, Any, Figures]]] = {
    Name.EXECUTOR: executor.measure,
    Name.LATENCY: latency.measure,
    Name.EVENT_LOG: event_log.measure,
    Name.QUERIES: queries.measure,
    Name.RESTORE: restore.measure,
    Name.REBUILD: rebuild.measure,
    Name.ISOLATION: isolation.measure,
}

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def main(
    name: Annotated[Name, typer.Argument(help="What to measure.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object in the end.")] = False,
) -> None:
    """Measure Connectory on this machine, against a ceiling measured in the same run."""
    if name is Name.ALL:
        sys.exit(0 if report.run(list(BENCHMARKS)) else 1)
    figures = asyncio.run(BENCHMARKS[name]())
    table = Table("figure", "value", "bar", title=f"benchmark {name}")
    bars = {bar.figure: bar for bar in BARS[name]}
    for figure, value in figures.items():
        table.add_row(figure, f"{value:,.2f}", str(bars.get(figure, "")))
    Console(stderr=as_json).print(table)
    if as_json:
        typer.echo(json.dumps({figure: round(value, 3) for figure, value in figures.items()}))


if __name__ == "__main__":
    app()
