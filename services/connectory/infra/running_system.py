"""How a `connectory up` on this machine is found: the file `runtime.json` in its data directory.

The file is written when the system is ready and removed at a clean end. It holds addresses and process ids; the
password of the embedded database stands in its address, so the file is readable by its owner only.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from connectory.domain.errors import ConnectoryError
from connectory.infra.private_files import write_private_file

FILE_NAME = "runtime.json"
DEFAULT_DATA_DIR = Path(".connectory")


class NotRunning(ConnectoryError):
    """No running system was found where it was looked for."""

    code = "not-running"


class NotFindable(NotRunning):
    """There is a file, and what it holds is none of ours."""

    code = "not-findable"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningSystem:
    """Where a running system answers. `pids` maps a role's or server's name to its process id.

    The Kafka and database addresses are None on `up --memory`, which has neither.
    """

    url: str
    kafka_bootstrap_servers: str | None
    database_url: str | None
    pids: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def find(cls, data_dir: Path = DEFAULT_DATA_DIR) -> "RunningSystem":
        """Read the file of a running system. Raises `NotRunning` without one, `NotFindable` when it is spoilt."""
        path = data_dir / FILE_NAME
        nothing = f"no running Connectory in {data_dir}: start one with `connectory up`, or name it with --data-dir"
        try:
            found = _read(path)
        except FileNotFoundError as error:
            raise NotRunning(nothing) from error
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it does not hold what `connectory up` writes"
            # Without its cause: a validation error holds what was read, the password of the database included.
            raise NotFindable(f"cannot read {path}: {why}; start `connectory up` again to have it anew") from None
        if found.pids and not any(map(_is_alive, found.pids.values())):
            raise NotRunning(nothing)
        return found

    def write(self, data_dir: Path) -> None:
        """Write the file whole or not at all, with mode 0600."""
        write_private_file(data_dir / FILE_NAME, json.dumps(asdict(self), indent=2) + "\n")

    @staticmethod
    def remove(data_dir: Path) -> None:
        (data_dir / FILE_NAME).unlink(missing_ok=True)


def _read(path: Path) -> RunningSystem:
    """Raises `OSError`, and `ValueError` for anything but the fields of a running system."""
    # Here, as every command imports this module, and the library takes long to load.
    from pydantic import TypeAdapter

    return TypeAdapter(RunningSystem).validate_json(path.read_bytes())


def _is_alive(pid: int) -> bool:
    """A system that was killed leaves its file behind."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
