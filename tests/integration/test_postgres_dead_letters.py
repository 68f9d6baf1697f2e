"""Dead letters in Postgres: scopes, filters, pages, and the order in which they are repeated."""

from collections.abc import AsyncIterator

import pytest

from connectory.domain.dead_letters import DeadLetter, DeadLetterSettled
from connectory.infra.postgres import Database, PostgresRowStore, migrate, open_database
from connectory_projections import DEAD_LETTERS
from connectory_projections.dead_letters import (
    DeadLetterFilter,
    KeptLetter,
    Scope,
    at_places,
    count_open,
    newest,
    oldest_open,
    page_of,
)
from tests.dead_letters import letter, request, settled, undecodable
from tests.projection_events import changes_of, minutes

HERE = Scope("default")
WITH_SPACELESS = Scope("default", with_spaceless=True)
OPEN = DeadLetterFilter()
ANY = DeadLetterFilter(status=None)


class Letters:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._store = PostgresRowStore(database, retention=minutes(1) - minutes(0))

    async def add(self, *events: DeadLetter | DeadLetterSettled) -> None:
        expected = await self._store.next_offset(DEAD_LETTERS, 0)
        changes = changes_of(DEAD_LETTERS, events)
        end = expected + len(events)
        await self._store.apply(DEAD_LETTERS, 0, changes, expected=expected, next_offset=end)

    async def ids(self, scope: Scope = HERE, where: DeadLetterFilter = OPEN) -> list[str]:
        listed = await self._database.all(newest(scope, where, limit=1000))
        return [str(each.item["id"]).removeprefix("action-requests.0.") for each in listed]

    async def page(self, limit: int, cursor: str | None) -> tuple[list[object], str | None]:
        page = page_of(await self._database.all(newest(HERE, OPEN, limit=limit, cursor=cursor)), limit)
        return [item["request_id"] for item in page.items], page.next_cursor

    async def oldest(self, after: KeptLetter | None = None, *, repeatable: bool = True) -> list[KeptLetter]:
        query = oldest_open(WITH_SPACELESS, OPEN, repeatable=repeatable, after=after, limit=2)
        return await self._database.all(query)

    async def count(self, *, repeatable: bool) -> int:
        return await self._database.one(count_open(WITH_SPACELESS, OPEN, repeatable=repeatable)) or 0

    async def at(self, scope: Scope, *offsets: int) -> list[KeptLetter]:
        return await self._database.all(at_places(scope, [("action-requests", 0, each) for each in offsets]))


@pytest.fixture
async def letters(database_url: str) -> AsyncIterator[Letters]:
    async with open_database(database_url) as database:
        await migrate(database, [DEAD_LETTERS])
        yield Letters(database)


async def test_the_newest_of_the_space_come_first(letters: Letters) -> None:
    elsewhere = letter(3, of=request(space_id="ops"))
    await letters.add(letter(1), letter(2, at=minutes(1)), elsewhere, undecodable(4))

    assert await letters.ids() == ["2", "1"]
    assert set(await letters.ids(WITH_SPACELESS)) == {"1", "2", "4"}
    assert set(await letters.ids(Scope())) == {"1", "2", "3", "4"}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (OPEN, ["3", "1"]),
        (ANY, ["3", "2", "1"]),
        (DeadLetterFilter(status="redriven"), ["2"]),
        (DeadLetterFilter(connector_id="other"), ["3"]),
        (DeadLetterFilter(reason="given-up"), ["1"]),
        (DeadLetterFilter(from_=minutes(2), to=minutes(3), status=None), ["2"]),
    ],
)
async def test_filters_hold_together(letters: Letters, where: DeadLetterFilter, expected: list[str]) -> None:
    await letters.add(
        letter(1, at=minutes(1), reason="given-up"),
        letter(2, at=minutes(2)),
        letter(3, at=minutes(3), of=request("r3", "other")),
        settled(2, redriven_as="again"),
    )

    assert await letters.ids(where=where) == expected


async def test_pages_go_on_where_the_last_one_ended(letters: Letters) -> None:
    await letters.add(*(letter(number) for number in range(5)))

    first, cursor = await letters.page(3, None)
    second, end = await letters.page(3, cursor)

    assert (first, second, end) == (["r4", "r3", "r2"], ["r1", "r0"], None)


async def test_what_is_to_be_repeated_comes_in_the_order_it_was_given_up(letters: Letters) -> None:
    await letters.add(letter(9), letter(10), undecodable(11), letter(2, at=minutes(1)), letter(3), settled(3))

    first = await letters.oldest()
    second = await letters.oldest(first[-1])

    assert [each.letter.offset for each in [*first, *second]] == [9, 10, 2]
    assert first[0].letter == letter(9)
    assert (await letters.count(repeatable=True), await letters.count(repeatable=False)) == (3, 4)


async def test_letters_are_found_by_their_places_within_the_scope(letters: Letters) -> None:
    await letters.add(letter(1), undecodable(2), letter(3), settled(3))

    assert [each.letter.offset for each in await letters.at(HERE, 3, 2, 1, 99)] == [1, 3]
    assert [each.status for each in await letters.at(WITH_SPACELESS, 2, 3)] == ["open", "dropped"]
    assert await letters.at(HERE) == []


async def test_what_was_done_about_a_letter_that_the_log_has_lost_is_not_shown(letters: Letters) -> None:
    await letters.add(settled(1))

    assert await letters.ids(WITH_SPACELESS, ANY) == []
