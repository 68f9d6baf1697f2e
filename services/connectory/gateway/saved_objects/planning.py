"""The plan of an import: each object keeps its id, gets a new one, or meets a connector that is there.

An object that could not keep its id is known again by its origin, the id that it came with.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from connectory.domain.execution import iso_millis
from connectory.domain.json_types import Json
from connectory.gateway.saved_objects.objects import CONNECTOR, SavedObject, title
from connectory.gateway.saved_objects.plans import (
    Existing,
    Failure,
    Placement,
    Plan,
    conflict,
    impossible,
    missing_references,
)
from connectory_projections.connectors_by_space import ConnectorView

MOST_DESTINATIONS: Final = 10
"""Connectors that an ambiguous conflict names."""

NewIds: TypeAlias = Mapping[str, str]
"""By the id of an object, the one that it gets where it cannot keep its own."""


@dataclass(frozen=True, slots=True)
class ImportWishes:
    """`overwrite`: what is there is replaced. `create_new_copies`: whatever is there, all ids are made anew."""

    overwrite: bool = False
    create_new_copies: bool = False


def plan_import(objects: Sequence[SavedObject], existing: Existing, new_ids: NewIds, wishes: ImportWishes) -> Plan:
    connectors = [each for each in objects if each.key.type == CONNECTOR]
    failures = [*impossible(objects), *missing_references(connectors, existing)]
    if wishes.create_new_copies:
        return Plan.of([new_copy(each, new_ids) for each in connectors], failures)
    placed = _placed(connectors, existing, new_ids, wishes)
    conflicts = [each for each in placed if isinstance(each, Failure)]
    # Conflicts of an object's own id come before those of its origin, as they are found one after the other.
    conflicts.sort(key=lambda failure: len(failure.error) > 1)
    return Plan.of([each for each in placed if isinstance(each, Placement)], [*failures, *conflicts])


def new_copy(saved: SavedObject, new_ids: NewIds) -> Placement:
    """Under an id made anew, without memory of where it came from."""
    return Placement(object=saved, destination_id=new_ids[saved.key.id], made_anew=True)


def _placed(
    connectors: Sequence[SavedObject], existing: Existing, new_ids: NewIds, wishes: ImportWishes
) -> list[Placement | Failure]:
    brought = {each.key.id for each in connectors}
    met = {each.key: _copies_met(each, brought, existing) for each in connectors}
    sources = Counter(_ids(copies) for copies in met.values())
    return [
        _at_own_id(each, existing, wishes)
        or _at_a_copy(each, met[each.key], sources[_ids(met[each.key])], new_ids, wishes)
        or _unmet(each, existing, new_ids, wishes)
        for each in connectors
    ]


def _at_own_id(saved: SavedObject, existing: Existing, wishes: ImportWishes) -> Placement | Failure | None:
    there = existing.here(saved.key.id)
    if there is None:
        return None
    if not wishes.overwrite:
        return conflict(saved)
    return Placement(object=saved, origin_id=saved.origin_id or there.origin_id, may_replace=True, replaces=True)


def _copies_met(saved: SavedObject, brought: set[str], existing: Existing) -> Sequence[ConnectorView]:
    """Connectors of the same source, if the object's own id is free here; those that the file brings come by theirs."""
    if existing.here(saved.key.id) is not None:
        return ()
    copies = {copy.connector_id: copy for copy in existing.copies_of(saved.source_id)}
    return [copies[each] for each in sorted(copies) if each not in brought][:MOST_DESTINATIONS]


def _at_a_copy(
    saved: SavedObject, copies: Sequence[ConnectorView], sources: int, new_ids: NewIds, wishes: ImportWishes
) -> Placement | Failure | None:
    if not copies:
        return None
    if new_ids[saved.key.id] in _ids(copies):  # made by this very import, which is repeated
        return _beside_its_source(saved, new_ids)
    if sources > 1:  # several objects want the same place: none of them gets it
        return new_copy(saved, new_ids)
    if len(copies) > 1:
        return Failure(object=saved, error={"type": "ambiguous_conflict", "destinations": [*map(_shown, copies)]})
    there = copies[0].connector_id
    if not wishes.overwrite:
        return conflict(saved, there)
    return Placement(object=saved, destination_id=there, origin_id=saved.source_id, may_replace=True, replaces=True)


def _unmet(saved: SavedObject, existing: Existing, new_ids: NewIds, wishes: ImportWishes) -> Placement:
    if existing.is_elsewhere(saved.key.id):
        return _beside_its_source(saved, new_ids)
    return Placement(object=saved, origin_id=saved.origin_id, may_replace=wishes.overwrite)


def _beside_its_source(saved: SavedObject, new_ids: NewIds) -> Placement:
    """Another space has the id: the object gets a new one, and is known again by its source."""
    return Placement(object=saved, destination_id=new_ids[saved.key.id], origin_id=saved.source_id, made_anew=True)


def _ids(copies: Sequence[ConnectorView]) -> tuple[str, ...]:
    return tuple(copy.connector_id for copy in copies)


def _shown(copy: ConnectorView) -> Json:
    return {"id": copy.connector_id, "title": title(copy.name), "updatedAt": iso_millis(copy.updated_at)}
