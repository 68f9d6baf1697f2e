"""Documents that actions have indexed, where no search engine is configured to take them."""

from dataclasses import dataclass
from datetime import datetime

from connectory.domain.json_types import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentIndexed:
    """A fact: the document is in the index from then on. `connector_id` says through which connector."""

    document_id: str
    index: str
    connector_id: str
    at: datetime
    document: JsonObject
