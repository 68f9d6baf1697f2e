"""Postgres: the pool and its queries, migrations, the tables of projections, and news of their progress."""

from connectory.infra.postgres.database import Database, open_database
from connectory.infra.postgres.exclusive import PostgresExclusive
from connectory.infra.postgres.kept_key import PostgresKeptKey
from connectory.infra.postgres.migrations import migrate
from connectory.infra.postgres.progress_watch import watch_progress
from connectory.infra.postgres.row_store import PostgresRowStore
from connectory.infra.postgres.second_copy import Digest, SecondCopy, second_copy

__all__ = [
    "Database",
    "Digest",
    "PostgresExclusive",
    "PostgresKeptKey",
    "PostgresRowStore",
    "SecondCopy",
    "migrate",
    "open_database",
    "second_copy",
    "watch_progress",
]
