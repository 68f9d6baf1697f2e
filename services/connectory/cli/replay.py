"""`connectory replay`: submit the recorded requests of a span of time once more, or see what that would send."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connectory.cli.options import DEFAULT_DATA_DIR, AsJson, Config, DataDir, From, KibanaConfig, To
from connectory.cli.reporting import printable

if TYPE_CHECKING:
    from connectory.infra.log import Log
    from connectory.infra.messages import Messages
    from connectory.infra.settings import Settings
    from connectory.replay import LeftOut, Recorded, Recording, Rehearsed, ReplayRun, ShownCall, Span

LEFT_OUT: Mapping["LeftOut", str] = {
    "direct": "of callers who waited for the result",
    "repeat": "that repeat others",
    "duplicate": "that were submitted twice",
    "undecodable": "that cannot be read",
    "too_large": "that have no room to say what they repeat",
}


def replay(
    from_: From = None,
    to: To = None,
    connector: Annotated[str | None, typer.Option(help="Of this connector only.")] = None,
    rate: Annotated[float | None, typer.Option(min=0.01, help="So many a second. Default: as fast as they go.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be sent, secrets redacted, and send nothing.")
    ] = False,
    run: Annotated[str | None, typer.Option(help="Go on with this run, which was cut off.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    config: Config = None,
    kibana_config: KibanaConfig = None,
) -> None:
    """Submit requests published at or after --from and before --to (default: now) once more, as new requests."""
    from connectory.infra.clock import utc_now
    from connectory.infra.settings import load_settings
    from connectory.replay import ReplayRun, Span

    if from_ is None:
        raise typer.BadParameter("say since when, by --from")
    now = utc_now()
    wanted = ReplayRun.resume(run) if run else ReplayRun.begin(now)
    asked = Asked(Span(from_=from_, to=to or now, connector_id=connector), wanted, bool(run), rate, as_json)
    settings = load_settings(config_file=config, kibana_config=kibana_config)
    if not dry_run:
        typer.echo(f"run {wanted.id}; if it is cut off, go on with: {asked.command}", err=True)
    counts = asyncio.run((_rehearse if dry_run else _submit)(asked, settings, data_dir))
    for line in counts.lines(dry_run=dry_run):
        typer.echo(line, err=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be replayed, under which run. `resumed`: it has published some already."""

    span: "Span"
    run: "ReplayRun"
    resumed: bool
    rate: float | None
    as_json: bool

    @property
    def command(self) -> str:
        """How a run that was cut off goes on: the end of its span is settled by now."""
        connector = f" --connector {self.span.connector_id}" if self.span.connector_id else ""
        span = f"--from {self.span.from_.isoformat()} --to {self.span.to.isoformat()}"
        return f"connectory replay {span}{connector} --run {self.run.id}"


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the requests of the span."""

    sent: int
    refused: int
    sent_before: int
    left_out: Mapping["LeftOut", int]

    def lines(self, *, dry_run: bool) -> list[str]:
        shown = [f"would be sent: {self.sent}, refused: {self.refused}" if dry_run else f"submitted: {self.sent}"]
        if self.sent_before:
            shown.append(f"submitted by this run before: {self.sent_before}")
        return [*shown, *(f"left out: {count} {LEFT_OUT[reason]}" for reason, count in self.left_out.items())]


@asynccontextmanager
async def _opened(
    asked: Asked, settings: "Settings", data_dir: Path
) -> "AsyncIterator[tuple[Log, Messages, Recording]]":
    from connectory.client import open_log
    from connectory.infra.messages import Messages
    from connectory.infra.schema_registry import open_schemas
    from connectory.replay import Recording

    async with open_log(settings.kafka, data_dir=data_dir) as log, open_schemas(settings.schema_registry) as schemas:
        messages = Messages(schemas)
        yield log, messages, Recording(log, messages, asked.span)


async def _submit(asked: Asked, settings: "Settings", data_dir: Path) -> Counts:
    from connectory.infra.clock import utc_now
    from connectory.infra.pace import Pace
    from connectory.replay import Submission, published_by

    sent = 0
    async with _opened(asked, settings, data_dir) as (log, messages, recording), log.writer() as writer:
        submission = Submission(
            run=asked.run,
            writer=writer,
            messages=messages,
            clock=utc_now,
            pace=Pace(asked.rate),
            published=await published_by(asked.run, log, messages) if asked.resumed else (),
        )
        async for recorded in recording.batches():
            async for published in submission.submit(recorded):
                sent += len(published)
                for request in published:
                    _print_submitted(request.request_id, request.redrive_of, as_json=asked.as_json)
    return Counts(sent, 0, submission.skipped, recording.left_out + submission.left_out)


async def _rehearse(asked: Asked, settings: "Settings", data_dir: Path) -> Counts:
    from connectory.cli.standalone import with_key
    from connectory.composition import open_rehearsal
    from connectory.infra.crypto import KEY_FILE

    if (data_dir / KEY_FILE).exists():
        settings = with_key(settings, data_dir)
    sent = refused = 0
    async with _opened(asked, settings, data_dir) as (log, messages, recording):
        rehearsal = await open_rehearsal(settings, log, messages)
        async for batch in recording.batches():
            for each in batch:
                new_id = asked.run.request_id(each.request)
                rehearsed = await rehearsal.rehearse(each.request, new_id)
                refused, sent = (refused + 1, sent) if rehearsed.refusal else (refused, sent + 1)
                _print_rehearsed(each, new_id, rehearsed, as_json=asked.as_json)
    return Counts(sent, refused, 0, dict(recording.left_out))


def _print_submitted(request_id: str, redrive_of: str | None, *, as_json: bool) -> None:
    line = {"request_id": request_id, "redrive_of": redrive_of}
    typer.echo(json.dumps(line, separators=(",", ":")) if as_json else f"{redrive_of}  {request_id}")


def _print_rehearsed(recorded: "Recorded", new_id: str, rehearsed: "Rehearsed", *, as_json: bool) -> None:
    request = recorded.request
    if as_json:
        ids = {"request_id": new_id, "redrive_of": request.request_id, "connector_id": request.connector_id}
        typer.echo(json.dumps({**ids, **asdict(rehearsed)}, separators=(",", ":")))
        return
    version = "" if rehearsed.connector_version is None else f", version {rehearsed.connector_version}"
    typer.secho(printable(f"{request.request_id} through {request.connector_id}{version}"), bold=True)
    if rehearsed.refusal:
        typer.secho(f"  refused: {printable(rehearsed.refusal)}", fg="red")
    for line in rehearsed.lines:
        typer.echo(f"  log {printable(line)}")
    for call in rehearsed.calls:
        _print_call(call)
    typer.echo()


def _print_call(call: "ShownCall") -> None:
    typer.echo(f"  {call.method} {printable(call.url)}")
    for name, value in call.headers.items():
        typer.echo(f"  {printable(name)}: {printable(value)}")
    if call.body is not None:
        typer.echo()
        for line in call.body.splitlines():
            typer.echo(f"  {printable(line)}")
