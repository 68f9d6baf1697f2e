"""Brings the tables up to what this program needs: numbered steps, forward only, once each."""

from collections.abc import Iterable

from connectory.domain.errors import SettingsInvalid
from connectory.infra.postgres.database import Connection, Database
from connectory_projections.model import AnyProjection, Migration
from connectory_projections.sql_files import load_migrations

_LOCK = 0x636F6E6E_6D696772
"""An advisory lock, so that several projectors may start at once."""

_BOOTSTRAP = """
CREATE TABLE IF NOT EXISTS migrations (
    scope text NOT NULL,
    number integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (scope, number)
)
"""


async def migrate(database: Database, projections: Iterable[AnyProjection]) -> list[str]:
    """Apply the steps that are missing, all in one transaction, and return their names.

    Steps that the database has beyond ours are left alone: a newer program may run beside this one. Raises
    `SettingsInvalid` when a step was edited after it was applied.
    """
    of_projections = [step for projection in projections for step in projection.migrations]
    wanted = [*load_migrations("offsets"), *load_migrations("installation"), *of_projections]
    async with database.long_transaction() as connection:
        await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {database.schema}")
        await connection.execute(_BOOTSTRAP)
        applied = await _applied(connection)
        missing = [step for step in wanted if not _is_applied(step, applied)]
        for step in missing:
            await _apply(connection, step)
    return [f"{step.scope}/{step.number:04d}_{step.name}" for step in missing]


async def _applied(connection: Connection) -> dict[tuple[str, int], str]:
    rows = await connection.fetch("SELECT scope, number, checksum FROM migrations")
    return {(row["scope"], row["number"]): row["checksum"] for row in rows}


def _is_applied(step: Migration, applied: dict[tuple[str, int], str]) -> bool:
    checksum = applied.get((step.scope, step.number))
    if checksum not in (None, step.checksum):
        text = f"Migration {step.number:04d}_{step.name} of {step.scope} is not the one that the database has applied"
        raise SettingsInvalid(f"{text}: released migrations must not be edited, only succeeded by new ones")
    return checksum is not None


async def _apply(connection: Connection, step: Migration) -> None:
    await connection.execute(step.sql)
    insert = "INSERT INTO migrations (scope, number, name, checksum) VALUES ($1, $2, $3, $4)"
    await connection.execute(insert, step.scope, step.number, step.name, step.checksum)
