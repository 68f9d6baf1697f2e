"""Where an installation that is to be killed keeps its data."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectory.infra.embedded import CannotProvision
from connectory.infra.embedded.java import find_java


@pytest.fixture(scope="module")
def chaos_dir() -> Iterator[Path]:
    """An empty directory, for as long as a module. Skips where there is no Java; fails where tests are the gate."""
    try:
        find_java()
    except CannotProvision as error:
        if os.environ.get("CI") == "true":
            pytest.fail(error.message, pytrace=False)
        pytest.skip(error.message)
    # Not below pytest's own directory: every run of pytest closes that to the user who runs PostgreSQL for root.
    with tempfile.TemporaryDirectory(prefix="connectory-chaos-", ignore_cleanup_errors=True) as directory:
        yield Path(directory)
