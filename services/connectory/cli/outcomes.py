"""`connectory outcomes`: what became of requests, read from Kafka."""

import asyncio
import json
from collections import Counter, deque
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from connectory.cli.options import DEFAULT_DATA_DIR, Config, DataDir, moment
from connectory.domain.execution import Action

if TYPE_CHECKING:
    from connectory.client import OutcomeConsumer
    from connectory.domain.execution import Outcome

COLOURS = {"success": "green", "failure": "red"}
RESULT_WIDTH = len("duplicate")
ACTION_WIDTH = max(map(len, Action))
"""Characters of what became of a request, and of what may also be the name of an action."""


def outcomes(
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Show those that come from now (or --since) on, until Ctrl-C.")
    ] = False,
    connector: Annotated[str | None, typer.Option(help="Of this connector only.")] = None,
    request_id: Annotated[str | None, typer.Option(help="Of this request only.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="The newest so many. Default: all that are kept.")] = None,
    since: Annotated[
        datetime | None, typer.Option(parser=moment, metavar="TIME", help="Not older than this time (UTC).")
    ] = None,
    attempts: Annotated[
        bool, typer.Option("--attempts", help="Also starts and duplicates, not only final ones.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    config: Config = None,
) -> None:
    """Show what became of requests, one line each, oldest first; then how many there were of each outcome."""
    from connectory.client import BEGINNING, NOW, OutcomeConsumer, open_log
    from connectory.infra.messages import Messages
    from connectory.infra.schema_registry import open_schemas
    from connectory.infra.settings import load_settings

    view = View(connector=connector, request_id=request_id, attempts=attempts, limit=limit, as_json=as_json)
    start = since or (NOW if follow else BEGINNING)

    async def show() -> None:
        settings = load_settings(config_file=config)
        async with (
            open_log(settings.kafka, data_dir=data_dir) as log,
            open_schemas(settings.schema_registry) as schemas,
            OutcomeConsumer.over(log, start=start, follow=follow, messages=Messages(schemas)) as consumer,
        ):
            await (view.show_coming(consumer) if follow else view.show_kept(consumer))

    with suppress(KeyboardInterrupt):
        asyncio.run(show())
    typer.echo(view.summary, err=True)


@dataclass(slots=True, kw_only=True)
class View:
    """Which outcomes are shown, and how."""

    connector: str | None
    request_id: str | None
    attempts: bool
    limit: int | None
    as_json: bool
    shown: Counter[str] = field(default_factory=Counter)

    def wants(self, outcome: "Outcome") -> bool:
        return (
            (outcome.final or self.attempts)
            and self.connector in (None, outcome.connector_id)
            and self.request_id in (None, outcome.request_id)
        )

    async def show_coming(self, consumer: "OutcomeConsumer") -> None:
        async for outcome in consumer:
            if self.wants(outcome):
                self.show(outcome)

    async def show_kept(self, consumer: "OutcomeConsumer") -> None:
        """In order of time, which the partitions by themselves do not give."""
        newest = deque(sorted([each async for each in consumer if self.wants(each)], key=_time), self.limit)
        for outcome in newest:
            self.show(outcome)

    def show(self, outcome: "Outcome") -> None:
        self.shown[_result(outcome)] += 1
        print_outcome(outcome, as_json=self.as_json, width=ACTION_WIDTH if self.attempts else RESULT_WIDTH)

    @property
    def summary(self) -> str:
        counts = ", ".join(f"{count} {result}" for result, count in self.shown.most_common())
        total = self.shown.total()
        return f"{total} outcome{'' if total == 1 else 's'}" + (f": {counts}" if counts else "")


def print_outcome(outcome: "Outcome", *, as_json: bool = False, width: int = RESULT_WIDTH) -> None:
    """One line on stdout; `width` is that of the column that says what became of it."""
    typer.echo(_json_line(outcome) if as_json else _line(outcome, width))


def _line(outcome: "Outcome", width: int) -> str:
    result = _result(outcome)
    took = "" if outcome.duration_ms is None else f"{outcome.duration_ms:.0f} ms"
    text = outcome.error or outcome.message
    start = f"{outcome.at:%Y-%m-%d %H:%M:%S}  {typer.style(f'{result:<{width}}', fg=COLOURS.get(result))}"
    return f"{start}  {outcome.connector_id}  {outcome.request_id}  {took:>8}  {text}"


def _json_line(outcome: "Outcome") -> str:
    from connectory.domain.execution import iso_millis

    return json.dumps(asdict(outcome), default=iso_millis, separators=(",", ":"))


def _result(outcome: "Outcome") -> str:
    return outcome.outcome or outcome.action.value


def _time(outcome: "Outcome") -> datetime:
    return outcome.at
