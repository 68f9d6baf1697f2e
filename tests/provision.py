"""What tests with real servers need of the machine: Java, and directories that PostgreSQL gets into."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from connectory.infra.embedded import CannotProvision
from connectory.infra.embedded.java import find_java


@contextmanager
def temporary_data_dir() -> Iterator[Path]:
    """Not below pytest's own directory: every run of pytest closes that to the user who runs PostgreSQL for root."""
    with tempfile.TemporaryDirectory(prefix="connectory-test-", ignore_cleanup_errors=True) as directory:
        yield Path(directory)


def require_java() -> None:
    try:
        find_java()
    except CannotProvision as error:
        cannot_test(error)


def cannot_test(error: CannotProvision) -> NoReturn:
    """Skip where somebody works without servers; fail where tests are the gate."""
    if os.environ.get("CI") == "true":
        pytest.fail(error.message, pytrace=False)
    pytest.skip(error.message)
