"""What a run has shown, as a table for a terminal."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.table import Table

from connectory.testing.history import CHECKS
from tests.chaos.backlog import Weight
from tests.chaos.campaign import Findings

ORDER = ("called_before_its_turn", "begun_before_its_turn", "called_after_its_turn")
UNMARKED = ("called_unrecorded", "repeated_unmarked")
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Chapter:
    """One installation's part of the run."""

    name: str
    findings: Findings
    weight: Weight | None = None

    @property
    def problems(self) -> dict[str, list[str]]:
        return {**self.findings.problems, **(self.weight.problems() if self.weight else {})}


def table(seed: int, chapters: list[Chapter]) -> Table:
    """A column for each chapter: its figures, and the result of each check."""
    made = Table(title=f"Chaos, seed {seed}")
    made.add_column("")
    for each in chapters:
        made.add_column(each.name, justify="right")
    columns = [dict(_rows(each)) for each in chapters]
    names = list(dict.fromkeys(name for column in columns for name in column))
    for name in names:
        made.add_row(name, *(column.get(name, "") for column in columns))
    return made


def _rows(chapter: Chapter) -> Iterator[tuple[str, str]]:
    yield from _figures(chapter.findings)
    yield from ((f"fault: {kind}", f"{count}") for kind, count in sorted(chapter.findings.faults.items()))
    if chapter.weight:
        yield from _weights(chapter.weight)
    problems = chapter.problems
    for name in dict.fromkeys([*(check.__name__ for check in CHECKS), *problems]):
        yield f"check: {name.replace('_', ' ')}", _result(problems.get(name, []))


def _figures(findings: Findings) -> Iterator[tuple[str, str]]:
    history, problems = findings.history, findings.problems
    yield "requests", f"{len(history.submitted):,}"
    yield "  with an ordering key", f"{sum(each.ordering_key is not None for each in history.submitted):,}"
    yield "  published again for want of an answer", f"{findings.away:,} batches"
    yield "changes of connectors", f"{len(history.changes):,} with reads"
    yield "faults injected", f"{findings.faults.total():,}"
    yield "calls at the target", f"{len(history.calls):,}"
    yield "attempts in doubt", f"{history.in_doubt.total():,}"
    yield "duplicates", f"{history.duplicates.total():,}"
    yield "lost", f"{len(problems.get('lost', [])):,}"
    yield "order violations", f"{_count(problems, ORDER):,}"
    yield "unmarked duplicates", f"{_count(problems, UNMARKED):,}"
    yield "seconds", f"{findings.seconds:.0f}"


def _weights(weight: Weight) -> Iterator[tuple[str, str]]:
    early = weight.memory[: max(1, len(weight.memory) // 5)]
    yield "executor's memory, first fifth", f"{max(early):.0f} MiB"
    yield "executor's memory, most", f"{max(weight.memory):.0f} MiB"
    for name, share in weight.idle.items():
        yield f"processor: {name}", f"{share:.1%} of a core"


def _count(problems: Mapping[str, list[str]], names: tuple[str, ...]) -> int:
    return sum(len(problems.get(name, [])) for name in names)


def _result(found: list[str]) -> str:
    if not found:
        return "[green]passed[/green]"
    shown = ", ".join(found[:SHOWN]) + (", …" if len(found) > SHOWN else "")
    return f"[bold red]{len(found)} broken[/bold red]: {shown}"
