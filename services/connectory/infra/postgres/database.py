"""The database: a pool of connections that runs the queries of projections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal, TypeAlias, TypeVar
from urllib.parse import parse_qs, urlsplit

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from connectory.domain.errors import SettingsInvalid
from connectory.infra.postgres.errors import translated
from connectory_projections.model import Query

T = TypeVar("T")
Connection: TypeAlias = "asyncpg.Connection[Any] | PoolConnectionProxy[Any]"
Isolation: TypeAlias = Literal["read_committed", "repeatable_read"]

SCHEMA = "connectory"
"""The Postgres schema of the live tables."""

LONGEST = timedelta(hours=1)
"""For a statement whose work grows with the tables."""

CONNECT_SECONDS = 5.0
"""How long to wait for a connection: a new one, or a free one of the pool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseOptions:
    """How to reach the database. Tables are found in `schema`; no statement runs longer than `statement_timeout`."""

    url: str
    schema: str = SCHEMA
    max_connections: int = 10
    statement_timeout: timedelta = timedelta(seconds=10)

    @property
    def address(self) -> str:
        """Host, port and database of the URL, for messages: neither user nor password."""
        parts = urlsplit(self.url)
        host = parts.hostname or "".join(parse_qs(parts.query).get("host", ["localhost"])[:1])
        return f"{host}:{parts.port or 5432}{parts.path}"


class Database:
    """Runs statements on pooled connections. Every call raises `Unavailable` when the database is away or too slow,
    and `SettingsInvalid` when it refuses who we are.
    """

    def __init__(self, pool: "asyncpg.Pool[Any]", options: DatabaseOptions) -> None:
        self._pool = pool
        self._places = asyncio.Semaphore(options.max_connections)
        self.options = options

    @property
    def schema(self) -> str:
        return self.options.schema

    async def one(self, query: Query[T]) -> T | None:
        """The first row of the query, or None when it has none."""
        async with self.connection() as connection:
            row = await connection.fetchrow(query.sql, *query.args)
        return None if row is None else query.read(dict(row))

    async def all(self, query: Query[T]) -> list[T]:
        async with self.connection() as connection:
            rows = await connection.fetch(query.sql, *query.args)
        return [query.read(dict(row)) for row in rows]

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A pooled connection for a moment. Session state must not outlast it: nothing is reset afterwards."""
        with translated(self.options.address):
            await self._take_place()
            try:
                async with self._pool.acquire(timeout=CONNECT_SECONDS) as connection:
                    yield connection
            finally:
                self._places.release()

    async def _take_place(self) -> None:
        """In the order of asking: the pool gives what is free to whoever comes by, before those who wait for it."""
        async with asyncio.timeout(CONNECT_SECONDS):
            await self._places.acquire()

    @asynccontextmanager
    async def transaction(self, isolation: Isolation = "read_committed") -> AsyncIterator[Connection]:
        """A transaction: committed at the end, rolled back on an exception."""
        async with self.connection() as connection, connection.transaction(isolation=isolation):
            yield connection

    @asynccontextmanager
    async def own_connection(
        self, statement_timeout: timedelta | None = None
    ) -> AsyncIterator["asyncpg.Connection[Any]"]:
        """A connection outside the pool, for what lasts: listening, and locks of a session."""
        limit = self.options.statement_timeout if statement_timeout is None else statement_timeout
        with translated(self.options.address):
            connection = await _connect(replace(self.options, statement_timeout=limit))
            try:
                yield connection
            finally:
                await connection.close(timeout=CONNECT_SECONDS)

    @asynccontextmanager
    async def long_transaction(self) -> AsyncIterator[Connection]:
        """A transaction outside the pool, for statements that take as long as they take."""
        async with self.own_connection(LONGEST) as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def beside(
        self, schema: str, max_connections: int, statement_timeout: timedelta
    ) -> AsyncIterator["Database"]:
        """The same database with its tables in another Postgres schema."""
        options = replace(
            self.options, schema=schema, max_connections=max_connections, statement_timeout=statement_timeout
        )
        async with _opened(options) as database:
            yield database


@asynccontextmanager
async def open_database(
    url: str, *, max_connections: int = 10, statement_timeout: timedelta = timedelta(seconds=10)
) -> AsyncIterator[Database]:
    """Open a pool. Connections are made at first use, so a database that is away is found out by the first query.

    Raises `SettingsInvalid` when the URL cannot be understood.
    """
    options = DatabaseOptions(url=url, max_connections=max_connections, statement_timeout=statement_timeout)
    async with _opened(options) as database:
        yield database


@asynccontextmanager
async def _opened(options: DatabaseOptions) -> AsyncIterator[Database]:
    _check_url(options)
    pool = asyncpg.create_pool(
        options.url,
        min_size=0,
        max_size=options.max_connections,
        max_inactive_connection_lifetime=0,
        reset=_leave_as_it_is,
        **_session(options),
    )
    await pool
    try:
        yield Database(pool, options)
    finally:
        pool.terminate()


def _check_url(options: DatabaseOptions) -> None:
    """The URL may hold a password: no message quotes any of it."""
    try:
        understood = urlsplit(options.url).scheme in ("postgres", "postgresql") and bool(options.address)
    except ValueError:
        understood = False
    if not understood:
        text = "The database URL cannot be understood; it should look like postgresql://user:password@host:5432/name"
        raise SettingsInvalid(f"{text} (special characters in the password percent-encoded)")


async def _connect(options: DatabaseOptions) -> "asyncpg.Connection[Any]":
    connection: asyncpg.Connection[Any] = await asyncpg.connect(options.url, **_session(options))
    return connection


def _session(options: DatabaseOptions) -> dict[str, Any]:
    """`command_timeout` ends what the server does not: waiting for a host that has vanished."""
    milliseconds = round(options.statement_timeout.total_seconds() * 1000)
    return {
        "timeout": CONNECT_SECONDS,
        "command_timeout": options.statement_timeout.total_seconds() + CONNECT_SECONDS,
        "server_settings": {
            "application_name": "connectory",
            "search_path": options.schema,
            "statement_timeout": str(milliseconds),
            "timezone": "UTC",
            "jit": "off",
        },
    }


async def _leave_as_it_is(connection: object) -> None:
    """Saves a round trip on each use; we leave no session state on pooled connections."""
