"""Fixtures for whatever changes the process that it runs in."""

import gc
import logging
from collections.abc import Iterator

import pytest


@pytest.fixture
def process_as_before() -> Iterator[None]:
    """Put back what a command sets up for its process: logging, and how garbage is collected."""
    root = logging.getLogger()
    handlers, level, thresholds = root.handlers[:], root.level, gc.get_threshold()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    gc.set_threshold(*thresholds)
    gc.unfreeze()
