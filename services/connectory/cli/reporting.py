"""What the user is told: errors as one clear line on stderr, and the consoles that commands print on."""

from typing import Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from connectory.domain.errors import ConnectoryError

FAILED = 1
INTERRUPTED = 130
WIDE = 240
"""Columns, where no terminal says how many there are."""


def results() -> Console:
    """For tables on stdout. A file or a pipe gets them as wide as they are."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDE)


class ReportingGroup(TyperGroup):
    """The root command: the one place where errors become exit codes."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except Exception as error:
            if ctx.params.get("debug") or _is_for_typer(error):
                raise
            say_failure(error)
            raise typer.Exit(FAILED) from None


def _is_for_typer(error: Exception) -> bool:
    """Wrong usage, a wanted exit, an aborted prompt: the library knows what to show for them."""
    return isinstance(error, typer.Exit | typer.Abort) or hasattr(error, "exit_code")


def say_failure(error: BaseException) -> None:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for line in failure_lines(error):
        console.print(f"Error: {line}", style="red", markup=False)


def failure_lines(error: BaseException) -> list[str]:
    """One line for what we raise on purpose; a defect names its type, and how to see more."""
    match error:
        case BaseExceptionGroup(exceptions=causes):
            return list(dict.fromkeys(line for cause in causes for line in failure_lines(cause)))
        case ConnectoryError() | OSError():
            return str(error).splitlines() or [type(error).__name__]
        case _:
            return [f"unexpected {type(error).__name__}: {error} (run with --debug for a traceback)"]
