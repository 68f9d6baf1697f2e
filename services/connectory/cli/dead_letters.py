"""`connectory dead-letters`: requests that were given up, to be looked at, repeated or dropped."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from connectory.cli.letter_desk import Asked, Status, count, letter_filter, open_desk
from connectory.cli.options import DEFAULT_DATA_DIR, AsJson, Config, DataDir, From, To
from connectory.cli.reporting import printable, results

if TYPE_CHECKING:
    from connectory.domain.json_types import JsonObject
    from connectory.gateway.dead_letters import Settled
    from connectory_projections.dead_letters import DeadLetterFilter

Connector = Annotated[str | None, typer.Option(help="Of this connector only.")]
Reason = Annotated[str | None, typer.Option(help="Given up for this reason only, such as target-failed.")]
Space = Annotated[str | None, typer.Option(help="Of this space only. Default: of all.")]
Ids = Annotated[list[str] | None, typer.Argument(help="The letters, by their ids.", show_default=False)]
Everything = Annotated[bool, typer.Option("--all", help="All open ones.")]
Rate = Annotated[float | None, typer.Option(min=0.01, help="So many a second. Default: as fast as they go.")]

PAGE = 1000

app = typer.Typer(help="Requests that were given up: look at them, repeat them, drop them.", no_args_is_help=True)


@app.command(name="list")
def list_letters(
    connector: Connector = None,
    reason: Reason = None,
    status: Annotated[Status, typer.Option(help="What was done about them.")] = "open",
    from_: From = None,
    to: To = None,
    space: Space = None,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 50,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    config: Config = None,
) -> None:
    """Show dead letters, newest first."""
    where = letter_filter(connector, reason, from_, to, status)
    items, more = asyncio.run(_list(where, space, limit, data_dir, config))
    if as_json:
        _print_lines(items)
    elif items:
        _print_table(items)
    if not items:
        typer.echo("there are no such dead letters", err=True)
    if more:
        typer.echo(f"these are the newest {limit}; --limit shows more", err=True)


@app.command()
def show(
    letter: Annotated[str, typer.Argument(help="The letter, by its id.")],
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    config: Config = None,
) -> None:
    """Show one dead letter with the request that was given up, or the bytes that are none."""
    shown = asyncio.run(_show(letter, data_dir, config))
    if as_json:
        _print_lines([shown])
        return
    for name, value in shown.items():
        typer.echo(f"{name:<14}{printable(value) if isinstance(value, str) else json.dumps(value, indent=2)}")


@app.command()
def redrive(
    ids: Ids = None,
    everything: Everything = False,
    connector: Connector = None,
    reason: Reason = None,
    from_: From = None,
    to: To = None,
    space: Space = None,
    rate: Rate = None,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    config: Config = None,
) -> None:
    """Repeat the requests as new ones, oldest first. Those that cannot be read stay where they are."""
    asked = Asked(ids or (), everything, connector, reason, from_, to, space)
    settled = asyncio.run(_settle("redrive", asked, rate, as_json, data_dir, config))
    typer.echo(f"redriven: {settled}", err=True)


@app.command()
def drop(
    ids: Ids = None,
    everything: Everything = False,
    connector: Connector = None,
    reason: Reason = None,
    from_: From = None,
    to: To = None,
    space: Space = None,
    rate: Rate = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before dropping many.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    config: Config = None,
) -> None:
    """Settle the letters without repeating anything."""
    asked = Asked(ids or (), everything, connector, reason, from_, to, space, ask=not yes)
    settled = asyncio.run(_settle("drop", asked, rate, as_json, data_dir, config))
    typer.echo(f"dropped: {settled}", err=True)


async def _list(
    where: "DeadLetterFilter", space: str | None, limit: int, data_dir: Path, config: Path | None
) -> "tuple[list[JsonObject], bool]":
    from connectory_projections.dead_letters import Scope

    items: list[JsonObject] = []
    cursor: str | None = None
    async with open_desk(data_dir, config) as desk:
        while len(items) < limit:
            page = await desk.letters.page(Scope(space), where, min(PAGE, limit - len(items)), cursor)
            items.extend(page.items)
            cursor = page.next_cursor
            if cursor is None:
                break
    return items, cursor is not None


async def _show(letter: str, data_dir: Path, config: Path | None) -> "JsonObject":
    from connectory.gateway.dead_letter_json import shown_letter
    from connectory.gateway.dead_letters import not_found
    from connectory_projections.dead_letters import Scope, place_of_id

    place = place_of_id(letter)
    async with open_desk(data_dir, config) as desk:
        found = await desk.letters.at_places(Scope(), [place] if place else [])
        if not found:
            raise not_found(letter)
        return shown_letter(found[0], desk.messages)


async def _settle(
    what: Literal["redrive", "drop"],
    asked: Asked,
    rate: float | None,
    as_json: bool,
    data_dir: Path,
    config: Path | None,
) -> int:
    """Return how many were settled."""
    from connectory.cli.progress import ShownProgress
    from connectory.infra.pace import Pace

    selection = asked.selection()
    done = 0
    async with open_desk(data_dir, config) as desk:
        total = await count(desk, selection, repeatable=what == "redrive")
        if asked.ask and total > 1:
            typer.confirm(f"Drop {total:,} dead letters?", abort=True, err=True)
        act = desk.redrive if what == "redrive" else desk.drop
        with ShownProgress(unit="events") as shown:
            shown.step("Redriving" if what == "redrive" else "Dropping")
            async for batch in act(selection, pace=Pace(rate)):
                done += len(batch)
                shown.advance(done, max(done, total))
                _print_settled(batch, as_json=as_json)
    return done


def _print_lines(items: "Sequence[JsonObject]") -> None:
    for item in items:
        typer.echo(json.dumps(item, separators=(",", ":")))


def _print_table(items: "Sequence[JsonObject]") -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold")
    for heading in ("id", "time", "status", "connector", "request", "reason", "message"):
        table.add_column(heading, no_wrap=heading != "message")
    for item in items:
        names = ("id", "@timestamp", "status", "connector_id", "request_id", "reason", "message")
        table.add_row(*(Text(printable(str(item[name] or ""))) for name in names))
    results().print(table)


def _print_settled(batch: "Sequence[Settled]", *, as_json: bool) -> None:
    for each in batch:
        if as_json:
            line = {"id": each.letter_id, **({"request_id": each.redriven_as} if each.redriven_as else {})}
            typer.echo(json.dumps(line, separators=(",", ":")))
        else:
            typer.echo(f"{each.letter_id}  {each.redriven_as or ''}".rstrip())
