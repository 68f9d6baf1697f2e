"""The event log in Postgres: filters, pages and days."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from connectory.domain.execution import Action, Outcome
from connectory.infra.postgres import Database, PostgresRowStore, migrate, open_database
from connectory_projections import ALL, EVENT_LOG
from connectory_projections.event_log import ANYTHING, EventLogFilter, EventLogPage, page, page_of
from connectory_projections.model import Query
from tests.projection_events import NOON, changes_of, minutes, outcome

RETENTION = timedelta(days=90)


class EventLog:
    """The log under test, which is filled from offset 0 on."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.today = NOON
        self.store = PostgresRowStore(database, retention=RETENTION, now=lambda: self.today)
        self._offset = 0

    async def add(self, *outcomes: Outcome) -> None:
        changes, end = changes_of(EVENT_LOG, outcomes), self._offset + len(outcomes)
        expected = await self.store.next_offset(EVENT_LOG, 0)
        await self.store.apply(EVENT_LOG, 0, changes, expected=expected, next_offset=end)
        self._offset = end

    async def page(
        self, where: EventLogFilter = ANYTHING, *, limit: int = 1000, cursor: str | None = None
    ) -> EventLogPage:
        return page_of(await self.database.all(page("default", where, limit=limit, cursor=cursor)), limit)

    async def ids(self, where: EventLogFilter = ANYTHING) -> list[object]:
        return [item["execution_id"] for item in (await self.page(where)).items]

    async def partitions(self) -> Sequence[str]:
        parent = "SELECT inhrelid FROM pg_inherits WHERE inhparent = 'event_log'::regclass"
        sql = f"SELECT relname FROM pg_class WHERE oid IN ({parent}) ORDER BY relname"
        return await self.database.all(Query(sql, (), lambda row: str(row["relname"]).removeprefix("event_log_")))


@pytest.fixture
async def event_log(database_url: str) -> AsyncIterator[EventLog]:
    async with open_database(database_url) as database:
        await migrate(database, ALL)
        yield EventLog(database)


async def test_the_newest_come_first_and_other_spaces_not_at_all(event_log: EventLog) -> None:
    await event_log.add(
        outcome("older", at=minutes(1)), outcome("newer", at=minutes(2)), outcome("foreign", space_id="ops")
    )

    assert await event_log.ids() == ["newer", "older"]


@pytest.mark.parametrize(
    "where",
    [
        EventLogFilter(connector_id="c9"),
        EventLogFilter(connector_type_id=".slack"),
        EventLogFilter(action="execute-timeout"),
        EventLogFilter(outcome="failure"),
        EventLogFilter(request_id="r9"),
        EventLogFilter(execution_id="wanted"),
        EventLogFilter(from_=minutes(5)),
        EventLogFilter(q="Timed OUT"),
        EventLogFilter(q="50%_\\"),
        EventLogFilter(connector_id="c9", outcome="failure", from_=minutes(5), to=minutes(6), q="timed"),
    ],
)
async def test_each_filter_finds_what_it_asks_for(event_log: EventLog, where: EventLogFilter) -> None:
    wanted = outcome(
        "wanted",
        at=minutes(5),
        connector_id="c9",
        connector_type_id=".slack",
        action=Action.EXECUTE_TIMEOUT,
        outcome="failure",
        request_id="r9",
        message="timed out at 50%_\\ of it",
    )
    await event_log.add(outcome("other", at=minutes(1)), wanted)

    assert await event_log.ids(where) == ["wanted"]


async def test_a_time_range_holds_its_beginning_and_not_its_end(event_log: EventLog) -> None:
    await event_log.add(*(outcome(f"e{n}", at=minutes(n)) for n in range(4)))

    assert await event_log.ids(EventLogFilter(from_=minutes(1), to=minutes(3))) == ["e2", "e1"]


async def test_pages_follow_one_another_without_gap_or_repetition(event_log: EventLog) -> None:
    same_moment = [outcome(f"e{n}", action=action) for n in range(5) for action in Action]
    await event_log.add(*same_moment, *(outcome(f"f{n}", at=minutes(-24 * 60 * n)) for n in range(3)))
    seen, cursor = [], None
    while True:
        found = await event_log.page(limit=4, cursor=cursor)
        seen += [(item["execution_id"], item["action"]) for item in found.items]
        cursor = found.next_cursor
        if cursor is None:
            break

    assert len(seen) == len(set(seen)) == len(same_moment) + 3


async def test_entries_that_arrive_meanwhile_do_not_disturb_the_pages_after(event_log: EventLog) -> None:
    await event_log.add(*(outcome(f"e{n}", at=minutes(n)) for n in range(4)))
    first = await event_log.page(limit=2)
    await event_log.add(outcome("new", at=minutes(9)))

    second = await event_log.page(limit=2, cursor=first.next_cursor)

    assert [item["execution_id"] for item in second.items] == ["e1", "e0"]


async def test_a_day_gets_a_partition_when_its_first_outcome_arrives(event_log: EventLog) -> None:
    midnight = datetime(2026, 11, 25, tzinfo=UTC)
    await event_log.add(outcome("e1", at=midnight - timedelta(microseconds=1)), outcome("e2", at=midnight))

    assert await event_log.partitions() == ["20261124", "20261125", "default"]


@pytest.mark.parametrize("at", [datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)])
async def test_a_clock_that_is_far_off_makes_no_partition(event_log: EventLog, at: datetime) -> None:
    await event_log.add(*(outcome(f"e{n}", at=at) for n in range(100)), outcome("sane"))

    assert await event_log.partitions() == ["20261124", "default"]
    assert len(await event_log.ids()) == 101


async def test_outcomes_ahead_of_their_time_move_to_their_day_when_it_comes(event_log: EventLog) -> None:
    await event_log.add(outcome("ahead", at=NOON + timedelta(days=5)))
    event_log.today += timedelta(days=5)

    await event_log.add(outcome("in time", at=event_log.today + timedelta(minutes=1)))

    assert await event_log.partitions() == ["20261129", "default"]
    assert await event_log.ids() == ["in time", "ahead"]


async def test_expired_days_are_dropped_whole(event_log: EventLog) -> None:
    await event_log.add(*(outcome(f"e{n}", at=NOON + timedelta(days=n - 90)) for n in range(3)))
    event_log.today += timedelta(days=2)

    dropped = await event_log.store.drop_expired(EVENT_LOG)

    assert dropped == ["event_log_20260826", "event_log_20260827"]
    assert await event_log.ids() == ["e2"]


async def test_however_many_rows_of_a_day_lie_in_the_default_partition_the_day_gets_its_own(
    event_log: EventLog, database_url: str
) -> None:
    """As after a clock was days ahead for a while."""
    await event_log.add(outcome("first"))
    columns = ", ".join(EVENT_LOG.tables[0].columns)
    values = columns.replace("execution_id", "execution_id || n", 1)
    fill = f"INSERT INTO event_log_default ({columns}) SELECT {values} FROM former, generate_series(1, 50000) AS n"
    async with event_log.database.long_transaction() as connection:
        await connection.execute("ALTER TABLE event_log DETACH PARTITION event_log_20261124")
        await connection.execute("ALTER TABLE event_log_20261124 RENAME TO former")
        await connection.execute(fill)

    async with open_database(database_url, statement_timeout=timedelta(milliseconds=100)) as hasty:
        store = PostgresRowStore(hasty, retention=RETENTION, now=lambda: NOON)
        await store.apply(EVENT_LOG, 0, changes_of(EVENT_LOG, [outcome("last")]), expected=1, next_offset=2)

    count = Query("SELECT count(*) AS rows FROM event_log_20261124", (), lambda row: int(row["rows"]))
    assert await event_log.database.one(count) == 50_001


async def test_a_day_that_the_database_has_lost_is_made_again(event_log: EventLog) -> None:
    """As after a crash that took the last commits."""
    await event_log.add(outcome("e1"))
    async with event_log.database.connection() as connection:
        await connection.execute("DROP TABLE event_log_20261124; DELETE FROM projection_offsets")
    await event_log.add(outcome("e1"))

    assert await event_log.partitions() == ["20261124", "default"]
