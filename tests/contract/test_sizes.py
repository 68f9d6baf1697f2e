"""Small in the tail, not only in the middle: the sizes of files and functions."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.syntax import syntax_tree

ROOT = Path(__file__).parents[2]
SOURCES = ("services", "schemas", "projections", "benchmarks", "examples")
TESTS = ("tests",)
LONGEST_FILE = 400
LONGEST_FUNCTION = 50
USUAL_FUNCTION = 30
USUAL_SHARE = 0.95
LONGEST_TEST = 25


class Function(NamedTuple):
    place: str
    name: str
    lines: int


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files(*SOURCES, *TESTS)}

    assert {str(path.relative_to(ROOT)): n for path, n in lengths.items() if n > LONGEST_FILE} == {}


def test_no_function_is_longer_than_50_lines() -> None:
    assert [each for each in functions(*SOURCES, *TESTS) if each.lines > LONGEST_FUNCTION] == []


def test_nearly_all_functions_are_shorter_than_30_lines() -> None:
    lengths = [each.lines for each in functions(*SOURCES)]

    short = sum(lines < USUAL_FUNCTION for lines in lengths)

    assert short >= USUAL_SHARE * len(lengths)


def test_no_test_is_longer_than_25_lines() -> None:
    tests = [each for each in functions(*TESTS) if each.name.startswith("test_")]

    assert [each for each in tests if each.lines > LONGEST_TEST] == []


def files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def functions(*folders: str) -> Iterator[Function]:
    for path in files(*folders):
        for node in ast.walk(syntax_tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                yield Function(f"{path.relative_to(ROOT)}:{node.lineno}", node.name, lines)
