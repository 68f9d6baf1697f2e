"""`connectory topics`: make the topics, and see what is in them."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from connectory.cli.options import DEFAULT_DATA_DIR, Config, DataDir
from connectory.cli.reporting import results
from connectory.domain.outcomes import short_duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectory.infra.kafka import TopicDescription

app = typer.Typer(help="Make the topics, and see what is in them.", no_args_is_help=True)


@app.command()
def create(data_dir: DataDir = DEFAULT_DATA_DIR, config: Config = None) -> None:
    """Create the topics that are missing. Those that exist stay as they are."""
    created = asyncio.run(_create(data_dir, config))
    for name in created:
        typer.echo(f"created {name}")
    if not created:
        typer.echo("all topics exist")


@app.command()
def describe(data_dir: DataDir = DEFAULT_DATA_DIR, config: Config = None) -> None:
    """Show each topic: its partitions, copies of each, the sum of its end offsets, and how long records are kept."""
    from rich.table import Table

    rows = asyncio.run(_describe(data_dir, config))
    if not rows:
        typer.echo("there are no topics yet: make them with `connectory topics create`", err=True)
        return
    table = Table(box=None, header_style="bold")
    for heading in ("topic", "partitions", "copies", "end offsets", "kept"):
        table.add_column(heading, no_wrap=True)
    for row in rows:
        table.add_row(*row)
    results().print(table)


async def _create(data_dir: Path, config: Path | None) -> list[str]:
    from connectory.client import open_log
    from connectory.infra.settings import load_settings
    from connectory.infra.topics import topic_specs

    settings = load_settings(config_file=config)
    async with open_log(settings.kafka, data_dir=data_dir) as log:
        created = await log.create_topics(topic_specs(settings.event_log.retention))
    return [settings.kafka.topic_prefix + name for name in created]


async def _describe(data_dir: Path, config: Path | None) -> list[tuple[str, ...]]:
    from connectory.client import open_log
    from connectory.infra.settings import load_settings

    settings = load_settings(config_file=config)
    async with open_log(settings.kafka, data_dir=data_dir) as log:
        described = await log.describe_topics()
    return [_row(settings.kafka.topic_prefix, topic) for topic in sorted(described, key=lambda each: each.name)]


def _row(prefix: str, topic: "TopicDescription") -> tuple[str, ...]:
    offsets = f"{sum(topic.end_offsets):,}"
    return prefix + topic.name, str(topic.partitions), str(topic.replication_factor), offsets, _kept(topic.configs)


def _kept(configs: "Mapping[str, str]") -> str:
    """In the broker's words made readable."""
    if configs.get("cleanup.policy") == "compact":
        return "the last of each key"
    milliseconds = int(configs.get("retention.ms", "-1"))
    return "for ever" if milliseconds < 0 else short_duration(timedelta(milliseconds=milliseconds))
