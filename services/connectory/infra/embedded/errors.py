"""What is raised when an embedded server cannot be had."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectory.domain.errors import ConnectoryError


class CannotProvision(ConnectoryError):
    """An embedded server cannot be installed, started or kept. The message says why and how to mend it."""

    code = "cannot-provision"


class DataDirHeld(CannotProvision):
    """Another process that is alive works in the data directory."""

    code = "data-dir-held"


class PortTaken(CannotProvision):
    """Another program took the port between its choice and the start."""

    code = "port-taken"


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Turn what the file system refuses into `CannotProvision`; `path` is named when the error names none."""
    try:
        yield
    except OSError as error:
        raise CannotProvision(_file_system_message(error, path)) from error


def _file_system_message(error: OSError, path: Path) -> str:
    where = error.filename or path
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return f"no space is left for {where}: free some, or choose another place with --data-dir"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return f"{where} cannot be written: change its permissions, or choose another place with --data-dir"
        case errno.ENOTDIR | errno.EEXIST:
            return f"{where} is a file where a directory is needed: remove it, or choose another place with --data-dir"
        case _:
            return f"{where} cannot be written ({error.strerror}): mend it, or choose another place with --data-dir"
