"""`connectory dead-letters`: requests that were given up, to be looked at, repeated or dropped."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from connectory.cli.options import DEFAULT_DATA_DIR, AsJson, Config, DataDir, From, To
from connectory.cli.reporting import results

if TYPE_CHECKING:
    from connectory.domain.json_types import JsonObject
    from connectory.gateway.dead_letters import DeadLetterDesk, Selection, Settled
    from connectory_projections.dead_letters import DeadLetterFilter

Status = Literal["open", "redriven", "dropped", "all"]
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
    where = _filter(connector, reason, from_, to, status)
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
        typer.echo(f"{name:<14}{value if isinstance(value, str) else json.dumps(value, indent=2)}")


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
    count = asyncio.run(_settle("redrive", asked, rate, as_json, data_dir, config))
    typer.echo(f"redriven: {count}", err=True)


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
    count = asyncio.run(_settle("drop", asked, rate, as_json, data_dir, config))
    typer.echo(f"dropped: {count}", err=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which letters, in the user's words. With `ask` many are dropped only when the user says so once more."""

    ids: Sequence[str]
    everything: bool
    connector: str | None
    reason: str | None
    from_: datetime | None
    to: datetime | None
    space: str | None
    ask: bool = False

    def selection(self) -> "Selection":
        """Raises `BadParameter` when nothing, or two things at once, were named."""
        from connectory.gateway.dead_letters import Selection
        from connectory_projections.dead_letters import Scope

        filters = [self.connector, self.reason, self.from_, self.to]
        filtered = any(each is not None for each in filters)
        if bool(self.ids) + self.everything + filtered != 1:
            raise typer.BadParameter("name letters by their ids, or filter them, or say --all")
        if self.ids:
            return Selection(Scope(self.space), ids=self.ids)
        return Selection(Scope(self.space), where=_filter(self.connector, self.reason, self.from_, self.to, "open"))


async def _list(
    where: "DeadLetterFilter", space: str | None, limit: int, data_dir: Path, config: Path | None
) -> "tuple[list[JsonObject], bool]":
    from connectory_projections.dead_letters import Scope

    items: list[JsonObject] = []
    cursor: str | None = None
    async with _desk(data_dir, config) as desk:
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
    async with _desk(data_dir, config) as desk:
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
    async with _desk(data_dir, config) as desk:
        total = await _count(desk, selection, repeatable=what == "redrive")
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


async def _count(desk: "DeadLetterDesk", selection: "Selection", *, repeatable: bool) -> int:
    if selection.ids is not None:
        return len(set(selection.ids))
    return await desk.letters.count_open(selection.scope, selection.where, repeatable=repeatable)


@asynccontextmanager
async def _desk(data_dir: Path, config: Path | None) -> "AsyncIterator[DeadLetterDesk]":
    from connectory.cli.projections import database_url
    from connectory.client import open_log
    from connectory.gateway import queried
    from connectory.gateway.dead_letters import DeadLetterDesk
    from connectory.infra.clock import utc_now
    from connectory.infra.messages import Messages
    from connectory.infra.postgres import open_database, watch_progress
    from connectory.infra.schema_registry import open_schemas
    from connectory.infra.settings import load_settings

    settings = load_settings(config_file=config)
    async with (
        open_log(settings.kafka, data_dir=data_dir) as log,
        open_schemas(settings.schema_registry) as schemas,
        open_database(database_url(settings, data_dir)) as database,
        watch_progress(database) as progress,
        log.writer() as writer,
    ):
        yield DeadLetterDesk(
            letters=queried(database, progress).dead_letters,
            progress=progress,
            messages=Messages(schemas),
            writer=writer,
            clock=utc_now,
            view_wait=settings.gateway.projection_wait,
        )


def _filter(
    connector: str | None, reason: str | None, from_: datetime | None, to: datetime | None, status: Status
) -> "DeadLetterFilter":
    from connectory_projections.dead_letters import DeadLetterFilter

    wanted = None if status == "all" else status
    return DeadLetterFilter(connector_id=connector, reason=reason, status=wanted, from_=from_, to=to)


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
        table.add_row(*(Text(str(item[name] or "")) for name in names))
    results().print(table)


def _print_settled(batch: "Sequence[Settled]", *, as_json: bool) -> None:
    for each in batch:
        if as_json:
            line = {"id": each.letter_id, **({"request_id": each.redriven_as} if each.redriven_as else {})}
            typer.echo(json.dumps(line, separators=(",", ":")))
        else:
            typer.echo(f"{each.letter_id}  {each.redriven_as or ''}".rstrip())
