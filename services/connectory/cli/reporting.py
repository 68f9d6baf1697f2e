"""What the user is told: errors as one clear line on stderr, and the consoles that commands print on."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from connectory.domain.errors import ConnectoryError, causes

FAILED = 1
WRONG_USAGE = 2
INTERRUPTED = 130
WIDE = 240
"""Columns, where no terminal says how many there are."""


def results() -> Console:
    """For tables on stdout. A file or a pipe gets them as wide as they are."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDE)


def printable(text: str) -> str:
    """Text of somebody else's with everything escaped that a terminal would act on."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


class ReportingGroup(TyperGroup):
    """The root command: the one place where errors become exit codes."""

    def make_context(self, *args: Any, **extra: Any) -> Any:
        with _usage_in_one_line():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        try:
            with _usage_in_one_line():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except Exception as error:
            if ctx.params.get("debug") or _is_for_typer(error):
                raise
            say_failure(error)
            raise typer.Exit(FAILED) from None


@contextmanager
def _usage_in_one_line() -> Iterator[None]:
    """Wrong usage, for which the library would draw a box. Help, an error without a message, stays with it."""
    try:
        yield
    except Exception as error:
        line = _usage_line(error)
        if line is None:
            raise
        _say([line])
        raise typer.Exit(WRONG_USAGE) from None


def _usage_line(error: Any) -> str | None:
    """None for all that is not wrong usage. The library does not publish the type that such errors have in common."""
    message = " ".join(error.format_message().split()) if hasattr(error, "format_message") else ""
    if not message:
        return None
    command = error.ctx.command_path if getattr(error, "ctx", None) else "connectory"
    return f"{message.removesuffix('.')} (run {command} --help to see how it is used)"


def _is_for_typer(error: Exception) -> bool:
    """A wanted exit, an aborted prompt, a reader of our output that has seen enough: the library knows what to do."""
    return isinstance(error, typer.Exit | typer.Abort | BrokenPipeError) or hasattr(error, "exit_code")


def say_failure(error: BaseException) -> None:
    _say(failure_lines(error))


def _say(lines: Iterable[str]) -> None:
    """What is indented belongs to the line above it."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for line in lines:
        console.print(line if line.startswith(" ") else f"Error: {line}", style="red", markup=False)


def failure_lines(error: BaseException) -> list[str]:
    """One line for what we raise on purpose; a defect names its type, and how to see more."""
    return list(dict.fromkeys(line for cause in causes(error) for line in _lines(cause)))


def _lines(error: BaseException) -> list[str]:
    if isinstance(error, ConnectoryError | OSError):
        return str(error).splitlines() or [type(error).__name__]
    return [f"unexpected {type(error).__name__}: {error} (run with --debug for a traceback)"]
