"""How far something that takes a while is: a bar on a terminal, a line a step elsewhere."""

from types import TracebackType
from typing import Literal, Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, ProgressColumn, TaskID, TextColumn
from rich.progress import Progress as Bars


class ShownProgress:
    """On stderr, so that results can be redirected. It implements `connectory.infra.embedded.Progress`."""

    def __init__(self, unit: Literal["bytes", "events"] = "bytes") -> None:
        self._console = Console(stderr=True, highlight=False)
        amount: ProgressColumn = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
        self._bars = Bars(TextColumn("{task.description}"), BarColumn(), amount, console=self._console, transient=True)
        self._bar: TaskID | None = None
        self._text = ""

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._bars.stop()

    def step(self, text: str) -> None:
        if self._bar is not None:
            self._bars.remove_task(self._bar)
            self._bar = None
        self._text = text
        self._console.print(f"{text} ...", markup=False)

    def advance(self, done: int, total: int) -> None:
        if self._bar is None:
            self._bar = self._bars.add_task(self._text, total=total)
        self._bars.update(self._bar, completed=done, total=total)
