"""Elasticsearch's bulk API: what is sent, and what its answer means."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from connectory.connector_types.json_text import compact
from connectory.connector_types.outgoing import OutgoingRequest
from connectory.domain.json_types import Json, JsonObject

NO_REASON: Final = "Indexing error but no reason returned."
_CREATE: Final = '{"index":{"op_type":"create"}}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Elasticsearch:
    """`urls` have no slash at their end, and are tried in their order.

    `authorization` is the value of the header; None: nobody has to be proved.
    """

    urls: tuple[str, ...]
    authorization: str | None = field(default=None, repr=False)


def bulk_request(
    endpoint: Elasticsearch, url: str, index: str, documents: Sequence[JsonObject], *, refresh: bool
) -> OutgoingRequest:
    """`url` is one of those of the endpoint."""
    lines = (line for document in documents for line in (_CREATE, compact(document)))
    proof = {"Authorization": endpoint.authorization} if endpoint.authorization else {}
    return OutgoingRequest(
        method="POST",
        url=f"{url}/{quote(index, safe='')}/_bulk?refresh={'true' if refresh else 'false'}",
        headers={"Content-Type": "application/x-ndjson", **proof},
        body="".join(f"{line}\n" for line in lines).encode(errors="replace"),
    )


def problem_with(answer: Json) -> str | None:
    """What went wrong with the documents; None when nothing did."""
    if not isinstance(answer, Mapping):
        return NO_REASON
    if not answer.get("errors"):
        return None
    errors = list(_errors(answer.get("items")))
    reasons = [str(error["reason"]) for error in errors if error.get("reason")]
    if not reasons:
        return NO_REASON
    causes = [str(cause["reason"]) for error in errors if (cause := _cause(error)).get("reason")]
    return ";".join(reasons) + (f" ({';'.join(causes)})" if causes else "")


def _cause(error: JsonObject) -> JsonObject:
    cause = error.get("caused_by")
    return cause if isinstance(cause, Mapping) else {}


def _errors(items: Json) -> Iterator[JsonObject]:
    for item in items if isinstance(items, list) else ():
        for done in item.values() if isinstance(item, Mapping) else ():
            error = done.get("error") if isinstance(done, Mapping) else None
            if isinstance(error, Mapping):
                yield error
