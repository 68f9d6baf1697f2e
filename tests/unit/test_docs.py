"""The documentation: links lead somewhere, pages say their kind, samples are Python, the reference is complete."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from connectory.cli import app

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
KINDS = {"tutorial": "Tutorial", "how-to": "How-to guide", "reference": "Reference", "explanation": "Explanation"}
CLI_REFERENCE = ROOT / "docs/reference/cli.md"


def in_checkout(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=in_checkout)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))

    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=in_checkout)
def test_links_to_headings_lead_to_one(page: Path) -> None:
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", page.read_text(encoding="utf-8")):
        linked = page.parent / target if target else page
        assert anchor in anchors(linked), f"{in_checkout(linked)} has no heading #{anchor}"


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/*/*.md")), ids=in_checkout)
def test_every_page_says_its_kind(page: Path) -> None:
    assert f"\n*{KINDS[page.parent.name]}." in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/*/*.md")), ids=in_checkout)
def test_every_page_is_in_the_index(page: Path) -> None:
    assert f"({page.relative_to(ROOT / 'docs')})" in (ROOT / "docs/README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=in_checkout)
def test_python_samples_are_python_and_import_what_there_is(page: Path) -> None:
    for sample in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL):
        compile(sample, in_checkout(page), "exec")
        imports = [line for line in sample.splitlines() if line.startswith(("from ", "import "))]
        exec("\n".join(imports), {})


def test_the_command_line_reference_names_every_command_and_option() -> None:
    text = CLI_REFERENCE.read_text(encoding="utf-8")

    assert [each for each in commands_and_options() if f"`{each}`" not in text] == []


def commands_and_options() -> Iterator[str]:
    """Names as a user types them: `topics create`, `--wait`; and the names of arguments."""
    for name, command in commands(typer.main.get_command(app)):
        yield name
        for parameter in command.params:
            yield from parameter.opts


def commands(group: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
