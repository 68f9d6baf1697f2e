"""Imports point inwards only. The rules stand here as one table; a new package needs a line in it."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.syntax import syntax_tree

ROOT = Path(__file__).parents[2]
SOURCE_ROOTS = (ROOT / "services", ROOT / "schemas", ROOT / "projections")
OURS = ("connectory", "connectory_schemas", "connectory_projections")
ROLES = ("connectory.gateway", "connectory.aggregate", "connectory.executor", "connectory.projector")
ONLY_IN_INFRA = ("aiokafka", "asyncpg", "cryptography", "jwt", "opentelemetry")

ROLE_MAY_IMPORT = (
    "connectory.domain",
    "connectory.connector_types",
    "connectory.infra",
    "connectory_projections",
    "connectory_schemas",
)
MAY_IMPORT_OF_OURS = {
    "connectory.domain": (),
    "connectory.connector_types": ("connectory.domain",),
    "connectory_schemas": (),
    "connectory_projections": ("connectory.domain",),
    # The row stores carry out the row changes and queries that projections are written in.
    "connectory.infra": (
        "connectory.domain",
        "connectory.connector_types",
        "connectory_schemas",
        "connectory_projections",
    ),
    **dict.fromkeys(ROLES, ROLE_MAY_IMPORT),
    # A dry run over HTTP is a rehearsal of one request.
    "connectory.gateway": (*ROLE_MAY_IMPORT, "connectory.replay"),
    "connectory.client": ("connectory.domain", "connectory.infra"),
    "connectory.replay": ("connectory.domain", "connectory.connector_types", "connectory.infra"),
    "connectory.roles": (),
    "connectory.testing": OURS,
    "connectory.composition": OURS,
    "connectory.cli": OURS,
}
MAY_IMPORT_OF_OTHERS: dict[str, tuple[str, ...]] = {
    "connectory.domain": (),
    "connectory_schemas": ("fastavro",),
    "connectory_projections": ("pyuca",),
    "connectory.connector_types": (
        "aiosmtplib",
        "annotated_types",
        "arrow",
        "babel",
        "hjson",
        "markdown_it",
        "mstache",
        "pydantic",
        "pydantic_core",
        "simpleeval",
    ),
}

PART_OF = {"pydantic_core": "pydantic", "yarl": "aiohttp"}
"""Libraries of which another's interface consists: they come with it."""


@dataclass(frozen=True, slots=True)
class Import:
    importer: str
    imported: str
    place: str

    def __str__(self) -> str:
        return f"{self.place}: {self.importer} imports {self.imported}"


def test_our_packages_import_only_what_stands_further_in() -> None:
    wrong = [each for each in imports() if is_ours(each.imported) and not allowed_of_ours(each)]

    assert wrong == [], "\n".join(map(str, wrong))


def test_the_inner_packages_import_no_library_but_their_own() -> None:
    wrong = [each for each in imports() if not is_ours(each.imported) and not allowed_of_others(each)]

    assert wrong == [], "\n".join(map(str, wrong))


def test_only_infra_names_the_clients_of_kafka_and_postgres_and_the_ciphers() -> None:
    wrong = [
        each
        for each in imports()
        if top(each.imported) in ONLY_IN_INFRA and package(each.importer) != "connectory.infra"
    ]

    assert wrong == [], "\n".join(map(str, wrong))


def test_nothing_imports_the_private_names_of_another_package() -> None:
    wrong = [
        each
        for each in imports()
        if is_ours(each.imported)
        and package(each.importer) != package(each.imported)
        and any(is_private(part) for part in each.imported.split("."))
    ]

    assert wrong == [], "\n".join(map(str, wrong))


def test_every_library_that_is_imported_is_a_declared_dependency() -> None:
    assert imported_libraries() - declared() == set()


def test_every_declared_dependency_is_imported() -> None:
    assert declared() - imported_libraries() == set()


def imported_libraries() -> set[str]:
    """The distributions that the sources import from."""
    foreign = {top(each.imported) for each in imports()} - set(OURS) - sys.stdlib_module_names
    providers = packages_distributions()
    return {normalised(PART_OF.get(name) or providers[name][0]) for name in foreign}


def declared() -> set[str]:
    """The distributions that pyproject.toml names for running, with the embedded servers."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = [*project["dependencies"], *project["optional-dependencies"]["embedded"]]
    return {normalised(re.split(r"[^\w.-]", requirement)[0]) for requirement in requirements}


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("root", SOURCE_ROOTS, ids=lambda root: root.name)
def test_a_source_root_is_not_itself_a_package(root: Path) -> None:
    assert not (root / "__init__.py").exists()


def imports() -> Iterator[Import]:
    for root in SOURCE_ROOTS:
        for path in sorted(root.rglob("*.py")):
            module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
            for imported, line in imported_names(syntax_tree(path)):
                yield Import(module, imported, f"{path.relative_to(ROOT)}:{line}")


def imported_names(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((alias.name, node.lineno) for alias in names)
            case ast.ImportFrom(module=str(module), level=0, names=names):
                yield from ((f"{module}.{alias.name}", node.lineno) for alias in names)
            case _:
                pass


def allowed_of_ours(each: Import) -> bool:
    importer, imported = package(each.importer), package(each.imported)
    if importer == "connectory" or imported in ("connectory", importer):
        return True
    return within(imported, MAY_IMPORT_OF_OURS[importer])


def allowed_of_others(each: Import) -> bool:
    libraries = MAY_IMPORT_OF_OTHERS.get(package(each.importer))
    return libraries is None or top(each.imported) in sys.stdlib_module_names or top(each.imported) in libraries


def package(module: str) -> str:
    """The package that the rules speak of: `connectory.domain` of `connectory.domain.events`."""
    parts = module.split(".")
    is_part = parts[0] == "connectory" and len(parts) > 1 and parts[1] in parts_of_connectory()
    return ".".join(parts[:2]) if is_part else parts[0]


def parts_of_connectory() -> set[str]:
    return {path.stem for path in (ROOT / "services" / "connectory").iterdir() if path.suffix in ("", ".py")}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == each or module.startswith(f"{each}.") for each in packages)


def is_ours(module: str) -> bool:
    return top(module) in OURS


def top(module: str) -> str:
    return module.split(".")[0]
