"""The answer to an import, a second try, and a copy into one space."""

from collections.abc import Sequence
from dataclasses import dataclass

from connectory.domain.json_types import Json, JsonObject
from connectory.gateway.saved_objects.objects import CONNECTOR, title
from connectory.gateway.saved_objects.plans import Failure, Placement


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """The answer, and the ids, here, of the connectors that were written: those of its successes only if any were."""

    shown: JsonObject
    written: Sequence[str]


def import_result(
    done: Sequence[Placement], failures: Sequence[Failure], warnings: Sequence[Json], *, create_new_copies: bool
) -> JsonObject:
    """Lists of nothing are left out, but for the warnings."""
    shown: dict[str, Json] = {"success": not failures, "successCount": len(done), "warnings": warnings}
    if done:
        shown["successResults"] = [_success(each, create_new_copies=create_new_copies) for each in done]
    if failures:
        shown["errors"] = [_failure(each) for each in failures]
    return shown


def _success(placement: Placement, *, create_new_copies: bool) -> JsonObject:
    saved = placement.object
    shown: dict[str, Json] = {
        "type": saved.key.type,
        "id": saved.key.id,
        "meta": {"title": title(str(saved.attributes["name"]))},
        "managed": saved.managed,
    }
    if placement.replaces:
        shown["overwrite"] = True
    if placement.destination_id is not None:
        shown["destinationId"] = placement.destination_id
        if placement.origin_id is None and not create_new_copies:
            shown["createNewCopy"] = True
    return shown


def _failure(failure: Failure) -> JsonObject:
    saved = failure.object
    shown: dict[str, Json] = {
        "type": saved.key.type,
        "id": saved.key.id,
        "meta": _meta_of_other(saved.attributes) if saved.key.type != CONNECTOR else {},
        "error": failure.error,
    }
    if failure.replaces:
        shown["overwrite"] = True
    return shown


def _meta_of_other(attributes: JsonObject) -> JsonObject:
    """Objects of other types have their title among their attributes."""
    return {"title": attributes["title"]} if isinstance(attributes.get("title"), str) else {}
