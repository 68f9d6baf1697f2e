"""Runs benchmarks one after the other, and reports what they reached: one table, and `results.json`."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.bars import BARS, Bar, Figures

RESULTS: Final = Path(__file__).parent / "results.json"
LIMIT_SECONDS: Final = 3600.0


def run(names: Sequence[str]) -> bool:
    """Whether every bar is met. A benchmark that fails has no figures, and so does not meet its bars."""
    results = {name: _figures_of(name) for name in names}
    met = {bar: bar.is_met(results[name]) for name in names for bar in BARS[name]}
    _write(results, all(met.values()))
    Console().print(_table(results))
    return all(met.values())


def _figures_of(name: str) -> Figures:
    """In a process of its own: what one leaves in memory does not slow the next."""
    console, begun = Console(stderr=True), time.monotonic()
    console.print(f"measuring {name} ...")
    command = (sys.executable, "-m", "benchmarks", name, "--json")
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=LIMIT_SECONDS, check=False)
    console.print(f"measured {name} in {time.monotonic() - begun:.0f} s")
    if done.returncode != 0:
        console.print(f"{name} failed with {done.returncode}")
        return {}
    figures: Figures = json.loads(done.stdout.decode().splitlines()[-1])
    return figures


def _table(results: Mapping[str, Figures]) -> Table:
    table = Table("benchmark", "figure", "value", "bar", "met?", title="benchmarks")
    for name, figures in results.items():
        bars = {bar.figure: bar for bar in BARS[name]}
        for figure in dict.fromkeys([*bars, *figures]):
            table.add_row(name, figure, _shown(figures.get(figure)), *_verdict(bars.get(figure), figures))
    return table


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:,.2f}"


def _verdict(bar: Bar | None, figures: Figures) -> tuple[str, str]:
    if bar is None:
        return "", ""
    return str(bar), "yes" if bar.is_met(figures) else "NO"


def _write(results: Mapping[str, Figures], all_met: bool) -> None:
    bars = {name: {bar.figure: f"{bar}" for bar in BARS[name]} for name in results}
    content = {"processors": os.cpu_count(), "all_met": all_met, "bars": bars, "results": results}
    RESULTS.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
