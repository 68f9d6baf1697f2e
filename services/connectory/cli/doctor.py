"""`connectory doctor`: what is wrong with a set-up."""

import asyncio

import typer

from connectory.cli.options import DEFAULT_DATA_DIR, Config, DataDir, KibanaConfig
from connectory.cli.reporting import results

UNWELL = 1


def doctor(data_dir: DataDir = DEFAULT_DATA_DIR, config: Config = None, kibana_config: KibanaConfig = None) -> None:
    """Check Python, settings, Java, Kafka, Postgres and the gateway. Exit code 1 when something is wrong."""
    from rich.table import Table
    from rich.text import Text

    from connectory.cli.checks import State, examine

    colours = {State.FINE: "green", State.UNUSED: "dim", State.WRONG: "red"}
    table = Table("", "what", "found", box=None, header_style="bold")
    findings = asyncio.run(examine(data_dir, config, kibana_config))
    for finding in findings:
        table.add_row(Text(finding.state.value, style=colours[finding.state]), finding.what, Text(finding.text))
    results().print(table)
    if any(finding.state is State.WRONG for finding in findings):
        raise typer.Exit(UNWELL)
