"""The read models. One file a projection, its SQL beside it; `ALL` is the registration."""

from typing import Final

from connectory_projections.connector_history import CONNECTOR_HISTORY
from connectory_projections.connector_references import CONNECTOR_REFERENCES
from connectory_projections.connectors_by_space import CONNECTORS_BY_SPACE
from connectory_projections.dead_letters import DEAD_LETTERS
from connectory_projections.event_log import EVENT_LOG
from connectory_projections.index_documents import INDEX_DOCUMENTS
from connectory_projections.model import AnyProjection
from connectory_projections.spaces import SPACES

__all__ = [
    "ALL",
    "CONNECTORS_BY_SPACE",
    "CONNECTOR_HISTORY",
    "CONNECTOR_REFERENCES",
    "DEAD_LETTERS",
    "EVENT_LOG",
    "INDEX_DOCUMENTS",
    "SPACES",
]

ALL: Final[tuple[AnyProjection, ...]] = (
    CONNECTORS_BY_SPACE,
    CONNECTOR_HISTORY,
    CONNECTOR_REFERENCES,
    EVENT_LOG,
    DEAD_LETTERS,
    SPACES,
    INDEX_DOCUMENTS,
)
