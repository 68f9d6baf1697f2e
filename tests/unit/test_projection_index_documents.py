"""Indexed documents as rows."""

from connectory.domain.documents import DocumentIndexed
from connectory_projections.index_documents import INDEX_DOCUMENTS
from connectory_projections.model import Append
from tests.projection_events import NOON, changes_of


def test_a_document_is_appended_as_it_was_given() -> None:
    event = DocumentIndexed(document_id="d", index="or\x00ders", connector_id="c1", at=NOON, document={"a": "\x00é"})

    row = {
        "at": NOON,
        "document_id": "d",
        "index_name": "or\x010000ders",
        "connector_id": "c1",
        "document": '{"a":"\\u0000\\u00e9"}',
    }
    assert changes_of(INDEX_DOCUMENTS, [event]) == [Append("index_documents", row)]
