"""Searches in documents by SQL: they find what the conditions mean, and do so by an index."""

import json
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectory.domain import outcomes
from connectory.domain.execution import Failed, Outcome, RunContext, Succeeded, TokenUsage
from connectory.gateway.event_documents.execution_logs import Window, ended, runs
from connectory.gateway.event_documents.kuery import read_kuery
from connectory.gateway.event_documents.reading import QueriedEventDocuments
from connectory.infra.in_memory_rows import InMemoryRowStore
from connectory.infra.postgres import Database, PostgresRowStore, migrate, open_database
from connectory_projections import ALL, EVENT_LOG
from connectory_projections.event_documents import Order, Product, search
from connectory_projections.event_documents import conditions as asked
from connectory_projections.event_documents.conditions import EVERYTHING, Condition
from connectory_projections.event_documents.fields import FIELDS, FIRST_ENTRY, Field, Kind
from connectory_projections.event_documents.search import NEWEST_FIRST
from connectory_projections.model import Query
from tests.ended_runs import BOOM, RULE, attempt, cut_off, run
from tests.event_documents import InMemoryEventDocuments
from tests.projection_events import NOON, changes_of, minutes
from tests.unit.test_kuery import MET, NOT_MET

PRODUCT = Product("server")
SEED = 20261124
CONDITIONS = 400
RETENTION = timedelta(days=90)
ODD = "100%_\\ 'é' \"\x00 İß"


def written() -> Iterator[Outcome]:
    """Something of everything that an executor writes."""
    about = RunContext(consumer=ODD, api_key_id="k1", related_objects=json.dumps([{"type": "alert", "id": ODD}]))
    usage = Succeeded(token_usage=TokenUsage(prompt_tokens=1, completion_tokens=2, total_tokens=3))
    yield from run("e1", at=minutes(1), source="http_request", requested_by="ops")
    yield from run("e2", BOOM, at=minutes(2), space_id="red", context=RULE, scheduled_at=NOON)
    yield from run("e3", Failed(message=ODD), at=minutes(3), connector_id=ODD, context=about, source=ODD)
    yield from run("e4", usage, at=minutes(4), in_memory=True, requested_by=ODD, scheduled_at=minutes(5))
    yield from cut_off("e5", at=minutes(5), context=RULE)
    yield from run("e6", BOOM, at=minutes(6) + timedelta(microseconds=1499), in_memory=True, space_id="red")
    made, text = attempt("e7"), "not allowed"
    begun = outcomes.start(made, NOON)
    yield outcomes.refuse(made, NOON, Failed(message=text, reason="params-invalid"))
    yield outcomes.refuse(attempt("e8"), NOON, Failed(message=text, reason="unauthorized"))
    yield outcomes.in_doubt(begun, minutes(7), final=True)
    yield outcomes.schedule_retry(outcomes.finish(made, NOON, NOON, BOOM, minutes(8)), NOON)


class Both:
    """The same documents in Postgres and in memory."""

    def __init__(self, database: Database) -> None:
        rows = InMemoryRowStore(now=lambda: NOON)
        self.database = database
        self.sql = QueriedEventDocuments(database)
        self.twin = InMemoryEventDocuments(rows, self._reach)
        self.stores = (PostgresRowStore(database, retention=RETENTION, now=lambda: NOON), rows)

    async def _reach(self) -> None:
        pass

    async def add(self, *outcomes_: Outcome) -> None:
        changes = changes_of(EVENT_LOG, outcomes_)
        for store in self.stores:
            await store.next_offset(EVENT_LOG, 0)
            await store.apply(EVENT_LOG, 0, changes, expected=0, next_offset=len(changes))

    async def agree(self, where: Condition, order: Sequence[Order] = NEWEST_FIRST) -> None:
        by_sql = await self.sql.search(where, order, PRODUCT, offset=0, limit=100)
        by_twin = await self.twin.search(where, order, PRODUCT, offset=0, limit=100)
        assert by_sql == by_twin, where


@pytest.fixture
async def both(database_url: str) -> AsyncIterator[Both]:
    async with open_database(database_url) as database:
        await migrate(database, ALL)
        both = Both(database)
        await both.add(*written())
        yield both


class Conditions:
    """Makes conditions of what the documents hold, by chance."""

    def __init__(self, sources: Sequence[Any], chance: random.Random) -> None:
        self._chance = chance
        leaves = [text for source in sources for text in _leaves(source)]
        self._texts = [*sorted({str(leaf) for leaf in leaves}), "execute", "x", ODD, "50"]

    def any(self, depth: int = 3) -> Condition:
        match self._chance.randrange(7 if depth else 1):
            case 0 | 1 | 2:
                return self._leaf(self._chance.choice(list(FIELDS.values())))
            case 3:
                return asked.Not(self.any(depth - 1))
            case 4:
                return asked.All(tuple(self.any(depth - 1) for _ in range(2)))
            case 5:
                return asked.AnyOf(tuple(self.any(depth - 1) for _ in range(2)))
            case _:
                return asked.Entry(asked.All(tuple(self._of_entry() for _ in range(self._chance.randint(1, 2)))))

    def _of_entry(self) -> Condition:
        leaf = self._leaf(self._chance.choice(list(FIRST_ENTRY.values())))
        return asked.Not(leaf) if self._chance.random() < 0.2 else leaf

    def _leaf(self, field: Field) -> Condition:
        name, text = field.name, self._chance.choice(self._texts)
        match field.kind:
            case _ if self._chance.random() < 0.2:
                return asked.Exists(name)
            case Kind.TEXT:
                return read_kuery(f"{name}: {self._words(text)}", NOON)
            case Kind.DATE:
                return asked.Between(name, low=minutes(self._chance.randint(0, 6)), excludes_high=True)
            case Kind.NUMBER:
                return asked.Between(name, high=Decimal(self._chance.choice([0, 1024, 27_000_000, 10**11])))
            case Kind.BOOLEAN:
                return asked.OneOf(name, (self._chance.choice(["true", "false"]),))
            case _:
                return self._of_keyword(name, text)

    def _of_keyword(self, name: str, text: str) -> Condition:
        cut = self._chance.randint(0, len(text))
        ways: Sequence[Condition] = (
            asked.OneOf(name, (text, self._chance.choice(self._texts))),
            asked.Like(name, (text[:cut], text[cut + 1 :])),
            asked.Between(name, low=text, excludes_low=self._chance.random() < 0.5),
        )
        return self._chance.choice(ways)

    def _words(self, text: str) -> str:
        """Some of the words, as KQL takes them."""
        words = ["".join(filter(str.isalnum, word)) for word in text.replace("-", " ").split()]
        first, *others = [word for word in words if word.lower() not in ("", "and", "or", "not")] or ["x"]
        return self._chance.choice([first.upper(), f"{first[:3]}*", f"*{first[1:]}", f'"{" ".join((first, *others))}"'])


def _leaves(value: Any) -> Iterator[Any]:
    match value:
        case dict():
            for item in value.values():
                yield from _leaves(item)
        case list():
            for item in value:
                yield from _leaves(item)
        case _:
            yield value


async def test_sql_finds_what_conditions_mean(both: Both) -> None:
    everything = await both.twin.search(EVERYTHING, (), PRODUCT, offset=0, limit=100)
    conditions = Conditions([each.source for each in everything], random.Random(SEED))

    assert len(everything) == 13
    for _ in range(CONDITIONS):
        await both.agree(conditions.any())


async def test_sql_finds_what_kql_means(both: Both) -> None:
    for text in (*MET, *NOT_MET):
        await both.agree(read_kuery(text, NOON))


async def test_sql_sorts_as_the_twin_does(both: Both) -> None:
    sortable = [field for field in FIELDS.values() if field.name not in ("message", "error.message")]
    for field in sortable:
        for descending in (True, False):
            await both.agree(EVERYTHING, [Order(field.name, descending=descending)])
            await both.agree(EVERYTHING, [Order(field.name, descending, "lowest"), *NEWEST_FIRST])


async def test_runs_are_counted_by_sql_as_by_the_twin(both: Both) -> None:
    found = runs(Window(NOON, minutes(60)), ["default"], None, minutes(60))
    for documents in (both.sql, both.twin):
        assert await documents.count(ended(found), PRODUCT, at_most=100) == 5
        assert await documents.count(ended(found), PRODUCT, at_most=2) == 2
        assert await documents.outcomes(found, PRODUCT, newest=100) == {"success": 2, "failure": 3}
        assert await documents.outcomes(found, PRODUCT, newest=1) == {"failure": 1}


RULE_ENTRY = 'kibana.saved_objects: { id: "rule-7" and type: "alert" }'
DOCUMENTED = {
    "all events of a rule": RULE_ENTRY,
    "all events of a connector": 'kibana.saved_objects: { id: "c7" and type: "action" }',
    "all runs": "event.action: execute",
    "all runs of a connector": 'event.action: execute and kibana.saved_objects: { type: action and id: "c7" }',
    "all errors": "error.message: *",
    "errors of a rule": f"error.message: * and {RULE_ENTRY}",
    "errors of a connector": 'error.message: * and kibana.saved_objects: { id: "c7" and type: "action" }',
    "failures": "event.outcome: failure",
    "one run": 'kibana.action.execution.uuid: "e77"',
}

MANY_ROWS = """
INSERT INTO event_log (at, execution_id, action, request_id, space_id, connector_id, outcome, final, attempt,
    started_at, message, error, possible_duplicate, request_topic, request_partition, request_offset, details)
SELECT timestamptz '2026-11-24 00:00Z' + n * interval '1 second', 'e' || n / 2,
    CASE n % 2 WHEN 0 THEN 'execute-start' ELSE 'execute' END, 'r' || n, 'default', 'c' || n % 500,
    CASE WHEN n % 2 = 0 THEN NULL WHEN n % 101 = 0 THEN 'failure' ELSE 'success' END, true, 1,
    timestamptz '2026-11-24 00:00Z' + n * interval '1 second', 'text',
    CASE WHEN n % 101 = 0 THEN 'boom' END, false, 't', 0, n,
    CASE WHEN n % 50 = 0 THEN jsonb_build_object('related', jsonb_build_array(jsonb_build_object(
        'type', 'alert', 'id', 'rule-' || n % 400))) END
FROM generate_series(1, 20000) AS n
"""


@pytest.fixture
async def filled(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url) as database:
        await migrate(database, ALL)
        async with database.connection() as connection:
            await connection.execute(MANY_ROWS)
            await connection.execute("ANALYZE event_log")
        yield database


async def plan(database: Database, query: Query[Any]) -> str:
    async with database.connection() as connection:
        lines = await connection.fetch(f"EXPLAIN {query.sql}", *query.args)
    return "\n".join(line[0] for line in lines if "event_log_default" in line[0] or "Index" in line[0])


async def test_every_documented_search_goes_by_an_index(filled: Database) -> None:
    for name, text in DOCUMENTED.items():
        found = await plan(filled, search(read_kuery(text, NOON), NEWEST_FIRST, PRODUCT, offset=0, limit=10))

        assert "Index" in found, name
        assert "Seq Scan" not in found, name
