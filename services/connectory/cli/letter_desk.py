"""What the commands about dead letters work with: the use cases, opened, and the letters that the user names."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

if TYPE_CHECKING:
    from connectory.gateway.dead_letters import DeadLetterDesk, Selection
    from connectory_projections.dead_letters import DeadLetterFilter

Status = Literal["open", "redriven", "dropped", "all"]


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
            raise typer.BadParameter(
                "name letters by their ids, or by --connector, --reason, --from or --to, or say --all"
                " (with --space: all of that one)"
            )
        if self.ids:
            return Selection(Scope(self.space), ids=self.ids)
        return Selection(
            Scope(self.space), where=letter_filter(self.connector, self.reason, self.from_, self.to, "open")
        )


@asynccontextmanager
async def open_desk(data_dir: Path, config: Path | None) -> "AsyncIterator[DeadLetterDesk]":
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


async def count(desk: "DeadLetterDesk", selection: "Selection", *, repeatable: bool) -> int:
    if selection.ids is not None:
        return len(set(selection.ids))
    return await desk.letters.count_open(selection.scope, selection.where, repeatable=repeatable)


def letter_filter(
    connector: str | None, reason: str | None, from_: datetime | None, to: datetime | None, status: Status
) -> "DeadLetterFilter":
    from connectory_projections.dead_letters import DeadLetterFilter

    wanted = None if status == "all" else status
    return DeadLetterFilter(connector_id=connector, reason=reason, status=wanted, from_=from_, to=to)
