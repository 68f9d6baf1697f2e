"""Options that several commands have."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from connectory.infra.running_system import DEFAULT_DATA_DIR

DataDir: TypeAlias = Annotated[
    Path,
    typer.Option("--data-dir", help="The data directory of a system started with `connectory up`."),
]
Config: TypeAlias = Annotated[
    Path | None,
    typer.Option("--config", help="A settings file. Default: connectory.yml, if it is there."),
]
KibanaConfig: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--kibana-config", help="A kibana.yml to read xpack.actions.* from. Default: $CONNECTORY_KIBANA_CONFIG."
    ),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def is_debugging(ctx: typer.Context) -> bool:
    """Whether `--debug` stands before the command."""
    return bool(ctx.find_root().params.get("debug"))


def moment(text: str) -> datetime:
    """A time as a user types it: ISO 8601, in UTC unless it says otherwise."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text} is not a time such as 2026-01-31T12:00 or 2026-01-31T12:00+01:00") from None
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


From: TypeAlias = Annotated[
    datetime | None, typer.Option("--from", parser=moment, metavar="TIME", help="Not before this time (UTC).")
]
To: TypeAlias = Annotated[
    datetime | None, typer.Option("--to", parser=moment, metavar="TIME", help="Before this time (UTC).")
]

__all__ = ["DEFAULT_DATA_DIR", "AsJson", "Config", "DataDir", "From", "KibanaConfig", "To", "moment"]
