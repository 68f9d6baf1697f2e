"""References: other services say that something of theirs uses a connector. They hold nothing back."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorReference:
    """Something uses the connector: `type` and `id` name it in the words of the service that it belongs to.

    It counts for the connector of this id in this space only: under the same id there may be another one later.
    """

    connector_id: str
    space_id: str
    type: str
    id: str
    at: datetime
    by: str | None

    @property
    def key(self) -> str:
        return reference_key(self.connector_id, self.type, self.id)


def reference_key(connector_id: str, type_: str, id_: str) -> str:
    """The key of the record: connector id, type and id, percent-encoded and joined by slashes.

    A record without a value under this key withdraws the reference.
    """
    return "/".join(quote(part.encode("utf-8", "surrogatepass"), safe="") for part in (connector_id, type_, id_))
