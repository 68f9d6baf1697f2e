"""Which user of the operating system runs PostgreSQL, which refuses to be run by root."""

import logging
import os
import stat
import subprocess
from pathlib import Path
from typing import Final

from connectory.infra.embedded.errors import CannotProvision
from connectory.infra.embedded.postgres_programs import ensure_folder_permissions, ensure_user_exists
from connectory.infra.embedded.processes import Account

ACCOUNT_NAME: Final = "pgserver"

logger = logging.getLogger(__name__)


def postgres_account() -> Account | None:
    """None when we are not root: then it is our own. Otherwise a system user made for it, created if need be."""
    if os.geteuid() != 0:
        return None
    try:
        entry = ensure_user_exists(ACCOUNT_NAME)
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotProvision(
            f"PostgreSQL cannot run as root, and the user {ACCOUNT_NAME!r} to run it cannot be made ({error}): "
            f"make it by hand, run Connectory as another user than root, or set DATABASE_URL to a database of yours"
        ) from error
    assert entry is not None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def open_to(account: Account, directory: Path, programs: Path) -> None:
    """Let the account reach its data directory and the programs that it runs, and no more.

    Directories above them get the right to be passed through, not to be listed. Raises `CannotProvision`.
    """
    try:
        for path in (*directory.parents, *programs.parents, directory, programs):
            _let_pass(path)
        if not os.stat(programs / "postgres").st_mode & stat.S_IXOTH:
            ensure_folder_permissions(programs.parent, stat.S_IROTH | stat.S_IXOTH)
    except OSError as error:
        raise CannotProvision(
            f"the user {account.name!r}, who runs PostgreSQL for root, cannot reach {error.filename} "
            f"({error.strerror}): choose another place with --data-dir, or run Connectory as another user than root"
        ) from error


def _let_pass(directory: Path) -> None:
    mode = directory.stat().st_mode
    if not mode & stat.S_IXOTH:
        directory.chmod(mode | stat.S_IXOTH)
        logger.info("Letting other users pass through %s, as PostgreSQL does not run as root", directory)
