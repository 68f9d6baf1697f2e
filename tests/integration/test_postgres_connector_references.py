"""References to connectors in Postgres answer as their twin in memory does."""

from connectory.domain.references import ConnectorReference
from connectory.gateway.reference_views import QueriedReferences, References
from connectory.infra.in_memory_rows import InMemoryRowStore
from connectory.infra.postgres import PostgresRowStore, migrate, open_database
from connectory_projections import CONNECTOR_REFERENCES
from connectory_projections.connector_references import ReferencePage, forget
from tests.history_read_model import InMemoryReferences
from tests.projection_events import changes_of, minutes


def reference(connector_id: str, id_: str, minute: float = 0, space_id: str = "default") -> ConnectorReference:
    return ConnectorReference(
        connector_id=connector_id, space_id=space_id, type="r\u00fcle\x00", id=id_, at=minutes(minute), by=None
    )


REFERENCES = (
    reference("c1", "a"),
    reference("c1", "b", 2),
    reference("c1", "c", 1),
    reference("c1", "d", 1),
    reference("c2", "gone"),
    reference("c2", "a", space_id="red"),
    reference("c1", "a", 3),
)


async def nothing_away() -> None:
    """The twin can be reached."""


async def everything(references: References) -> list[object]:
    pages: list[ReferencePage] = [await references.page("default", "c1", 2, None)]
    while pages[-1].next_cursor:
        pages.append(await references.page("default", "c1", 2, pages[-1].next_cursor))
    whole = await references.page("default", None, 10, None)
    return [*pages, whole, await references.counts("default"), await references.counts("red")]


async def test_references_are_told_newest_first_page_by_page_and_counted(database_url: str) -> None:
    changes = [*changes_of(CONNECTOR_REFERENCES, REFERENCES), *forget(REFERENCES[4].key.encode())]
    memory = InMemoryRowStore()
    async with open_database(database_url) as database:
        await migrate(database, [CONNECTOR_REFERENCES])
        for store in (memory, PostgresRowStore(database, retention=minutes(1) - minutes(0))):
            await store.next_offset(CONNECTOR_REFERENCES, 0)
            await store.apply(CONNECTOR_REFERENCES, 0, changes, expected=0, next_offset=8)
        queried = await everything(QueriedReferences(database))

    assert queried == await everything(InMemoryReferences(memory, nothing_away))
    assert queried[-2:] == [{"c1": 4}, {"c2": 1}]
