"""The data directory: who may work in it, and whether there is room."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from connectory.infra.embedded.errors import CannotProvision, DataDirHeld, writing_to

MINIMUM_FREE_BYTES: Final = 256 * 1024 * 1024


@contextmanager
def hold_data_dir(path: Path) -> Iterator[Path]:
    """Make the directory (mode 0700) if need be, and be the only process that works in it until the context ends.

    Yields the absolute path. Raises `DataDirHeld` naming the process that has it. The kernel lets go of the lock when
    its holder dies, however it dies.
    """
    directory = path.absolute()
    with writing_to(directory):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _take(descriptor, directory)
        yield directory
    finally:
        os.close(descriptor)


def require_space(directory: Path) -> None:
    """Raise `CannotProvision` when a server would run out of space right after its start."""
    free = shutil.disk_usage(directory).free
    if free < MINIMUM_FREE_BYTES:
        needed, left = MINIMUM_FREE_BYTES // 2**20, free // 2**20
        raise CannotProvision(
            f"only {left} MiB are free at {directory}, and at least {needed} MiB are needed: "
            "free some space, or choose another place with --data-dir"
        )


def _take(descriptor: int, directory: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
        raise DataDirHeld(
            f"{directory} is in use by the process with pid {holder}: stop it first, or choose another directory "
            "with --data-dir"
        ) from None
    with writing_to(directory):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
