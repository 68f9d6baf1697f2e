"""Where an installation that is to be killed keeps its data."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.provision import require_java, temporary_data_dir


@pytest.fixture(scope="module")
def chaos_dir() -> Iterator[Path]:
    """An empty directory, for as long as a module. Skips where there is no Java; fails where tests are the gate."""
    require_java()
    with temporary_data_dir() as directory:
        yield directory
