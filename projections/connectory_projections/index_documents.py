"""Which documents have been indexed, where no search engine is configured to take them?"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectory.domain.documents import DocumentIndexed
from connectory.domain.json_types import JsonObject
from connectory_projections.model import Append, Projection, Query, RowChange, Sourced, Table
from connectory_projections.sql_files import load_migrations, load_statements
from connectory_projections.stored_text import to_stored

TABLE: Final = Table(
    name="index_documents",
    columns=("at", "document_id", "index_name", "connector_id", "document"),
    key=("at", "document_id"),
    partitioned_by_day="at",
)

_SQL = load_statements(__file__)


def newest(index: str, *, limit: int) -> Query[JsonObject]:
    """The documents of an index, newest first."""
    return Query(_SQL["newest"], (to_stored(index), limit), _document)


def apply(sourced: Sourced[DocumentIndexed]) -> Sequence[RowChange]:
    event = sourced.event
    row = {
        "at": event.at,
        "document_id": event.document_id,
        "index_name": to_stored(event.index),
        "connector_id": to_stored(event.connector_id),
        "document": json.dumps(event.document, separators=(",", ":")),
    }
    return [Append(TABLE.name, row)]


INDEX_DOCUMENTS: Final[Projection[DocumentIndexed]] = Projection(
    name="index_documents",
    topic="index-documents",
    handles=(DocumentIndexed,),
    tables=(TABLE,),
    migrations=load_migrations("index_documents"),
    apply=apply,
)


def _document(row: Mapping[str, Any]) -> JsonObject:
    document: JsonObject = json.loads(row["document"])
    return document
