"""What the database's errors mean for us: it is away for now, is wrongly set up, or will never take a row."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from connectory.domain.errors import ConnectoryError, RowsRefused, SettingsInvalid, Unavailable

_AWAY = ("08", "40", "53", "57", "58")
"""Classes of SQL states that pass: connection, rollback, resources, operator's intervention and system error."""

_AWAY_STATES = ("25006", "55P03")  # a standby before its promotion; a lock not granted in time
_NOT_MIGRATED = ("42P01", "3F000")
_WRONG_SETTINGS = ("28", "3D")
_ROW_AT_FAULT = ("21", "22", "23", "54")  # 54: a value too long for an index, for example


@contextmanager
def translated(address: str) -> Iterator[None]:
    """Raise the database's errors as ours. `address` names host, port and database, never the password.

    Raises `Unavailable`, `SettingsInvalid` or `RowsRefused`; an error in a statement of ours stays as it is.
    """
    try:
        yield
    except asyncpg.PostgresError as error:
        ours = _meaning(error, address)
        if ours is None:
            raise
        raise ours from error
    except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        text = str(error) or "no answer in time"
        raise Unavailable(f"The database at {address} cannot be reached now: {text}") from error


def _meaning(error: asyncpg.PostgresError, address: str) -> ConnectoryError | None:
    state = str(getattr(error, "sqlstate", None) or "")
    if state in _NOT_MIGRATED:
        return Unavailable(f"The database at {address} has no tables of ours yet; a projector makes them ({error})")
    if state.startswith(_AWAY) or state in _AWAY_STATES:
        return Unavailable(f"The database at {address} cannot be used now: {error}")
    if state.startswith(_WRONG_SETTINGS):
        return SettingsInvalid(f"The database at {address} refuses us: {error}. Check the database URL.")
    if state.startswith(_ROW_AT_FAULT) or isinstance(error, asyncpg.DataError):
        return RowsRefused(f"The database refuses a row: {error}")
    return None
