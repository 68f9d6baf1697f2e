"""The wheel holds all that the program reads at run time, and nothing else."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
SOURCE_ROOTS = ("services", "schemas", "projections")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in a wheel built from the checkout."""
    place = tmp_path_factory.mktemp("wheel")
    build = ["-m", "hatchling", "build", "--target", "wheel", "--directory", str(place)]
    subprocess.run([sys.executable, *build], cwd=ROOT, check=True, capture_output=True)
    [built] = place.glob("*.whl")
    return set(ZipFile(built).namelist())


def test_every_file_of_the_packages_is_in_the_wheel(wheel: set[str]) -> None:
    sources = {
        path.relative_to(ROOT / root).as_posix()
        for root in SOURCE_ROOTS
        for path in (ROOT / root).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert {name for name in wheel if ".dist-info/" not in name} == sources


def test_the_wheel_says_that_it_is_typed(wheel: set[str]) -> None:
    assert {name for name in wheel if name.endswith("/py.typed")} == {
        "connectory/py.typed",
        "connectory_schemas/py.typed",
        "connectory_projections/py.typed",
    }


def test_the_wheel_carries_the_licence(wheel: set[str]) -> None:
    assert any(name.endswith("/LICENSE") for name in wheel)
