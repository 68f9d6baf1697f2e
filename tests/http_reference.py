"""The table of routes in the reference: every answer and refusal of every route, and a test that has seen it.

`python -m tests.http_reference` runs the tests of the HTTP contract and writes the table from what they saw.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.documented import EVERY_ROUTE, SEEN, Documented, Operation, Row
from tests.http_gateway import http_gateway
from tests.unit.installation import Installation

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "http-api.md"
TESTS = ROOT / "tests" / "contract"
SEEN_FILE = "CONNECTORY_ANSWERS_SEEN"
"""Environment variable: the file that a run of the tests leaves what it saw in."""

START = "<!-- From here on generated: python -m tests.http_reference -->"
INTRODUCTION = """
## All routes

Each answer and refusal, and a test that has seen it, in `tests/contract`. `<words>` stand for a value. `GET
/api/connectory/openapi.json` has the same as an OpenAPI document, with the schemas of all bodies.
"""
LINE = re.compile(r"\| (\d+) \| (.*) \| `(\S+)` \|")


async def read_document() -> Documented:
    async with http_gateway(await Installation().create_topics(), roles=False) as gateway:
        return gateway.documented


def page_rows() -> dict[Row, str]:
    """The lines of the page: what was seen, and the test that saw it."""
    rows, route = {}, EVERY_ROUTE
    for line in PAGE.read_text(encoding="utf-8").partition(START)[2].splitlines():
        if line.startswith("### "):
            route = line.removeprefix("### ").strip("`") if "`" in line else EVERY_ROUTE
        if found := LINE.fullmatch(line):
            status, shown, test = found.groups()
            text = _read(shown) if shown.startswith("`") else ""
            rows[Row(route, int(status), text)] = test
    return rows


def table(documented: Documented, seen: Mapping[Row, str]) -> str:
    """The generated part of the page."""
    described = {row: words for operation in documented.operations for row, words in operation.rows()}
    sections = [START, INTRODUCTION, "### Every route", "", *_lines(described, EVERY_ROUTE, seen)]
    for operation in {each.route: each for each in documented.operations}.values():
        sections += ["", f"### `{operation.route}`", "", _summary(operation), ""]
        sections += _lines(described, operation.route, seen)
    return "\n".join(sections) + "\n"


def _summary(operation: Operation) -> str:
    return f"{operation.details['summary']}."


def _lines(described: Mapping[Row, str], route: str, seen: Mapping[Row, str]) -> Iterator[str]:
    yield from ("| status | answer | test |", "|---|---|---|")
    for row in sorted(row for row in described if row.route == route):
        shown = _write(row.text) if row.text else described[row]
        yield f"| {row.status} | {shown} | `{seen.get(row, 'none')}` |"


def _write(text: str) -> str:
    """As code of Markdown: with another fence where the text has a backtick, pipes and line ends escaped."""
    fence = "``" if "`" in text else "`"
    escaped = text.replace("|", "\\|").replace("\n", "\\n")
    return f"{fence} {escaped} {fence}" if len(fence) > 1 else f"`{escaped}`"


def _read(shown: str) -> str:
    text = shown[3:-3] if shown.startswith("``") else shown[1:-1]
    return text.replace("\\n", "\n").replace("\\|", "|")


def keep_seen(path: Path) -> None:
    """Leave what the tests of this process saw in a file."""
    path.write_text(json.dumps([[test, *row] for test, rows in SEEN.items() for row in rows]), encoding="utf-8")


def _run_tests() -> dict[Row, str]:
    """Run the tests of the HTTP contract, and return for every answer the first test that saw it, by name."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "seen.json"
        tests = map(str, sorted(TESTS.glob("test_http_*.py")))
        environment = {**os.environ, SEEN_FILE: str(file)}
        subprocess.run([sys.executable, "-m", "pytest", "-q", *tests], cwd=ROOT, env=environment, check=False)
        seen = json.loads(file.read_text(encoding="utf-8"))
    found: dict[Row, str] = {}
    for test, route, status, text in sorted(seen, reverse=True):
        found[Row(route, status, text)] = test
    return found


def main() -> None:
    seen = _run_tests()
    documented = asyncio.run(read_document())
    written = PAGE.read_text(encoding="utf-8").partition(START)[0]
    PAGE.write_text(written + table(documented, seen), encoding="utf-8")
    missing = sorted({row for operation in documented.operations for row, _ in operation.rows()} - set(seen))
    for row in missing:
        print("no test has seen:", *row)  # noqa: T201


if __name__ == "__main__":
    main()
