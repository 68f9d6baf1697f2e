"""The plan of a second try: the caller says for each object where it is to go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from connectory.gateway.saved_objects import texts
from connectory.gateway.saved_objects.ndjson import refuse_repeated
from connectory.gateway.saved_objects.objects import CONNECTOR, ObjectKey, SavedObject
from connectory.gateway.saved_objects.planning import NewIds, new_copy
from connectory.gateway.saved_objects.plans import (
    Existing,
    Failure,
    Placement,
    Plan,
    conflict,
    impossible,
    missing_references,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """`replaced_references`: what is referred to, and what is to be referred to instead."""

    key: ObjectKey
    overwrite: bool = False
    destination_id: str | None = None
    replaced_references: Mapping[ObjectKey, ObjectKey]
    create_new_copy: bool = False
    ignore_missing_references: bool = False


def check_retries(retries: Sequence[Retry], *, create_new_copies: bool) -> None:
    """Raises `Rejected` (400) when two are about the same object, or go to the same place."""
    refuse_repeated([each.key for each in retries], texts.repeated_retries)
    places = [(each.key.type, _target(each, create_new_copies=create_new_copies)) for each in retries]
    refuse_repeated([ObjectKey(kind, target) for kind, target in places if target], texts.repeated_destinations)


def _target(retry: Retry, *, create_new_copies: bool) -> str | None:
    """Where the object is to go; None for a new id."""
    if retry.destination_id is None and not (create_new_copies or retry.create_new_copy):
        return retry.key.id
    return retry.destination_id


def retried(objects: Sequence[SavedObject], retries: Sequence[Retry]) -> list[SavedObject]:
    """The objects that are to be tried again, with the references that they are to have."""
    wanted = {each.key: each for each in retries}
    return [_referring(each, wanted[each.key]) for each in objects if each.key in wanted]


def plan_retries(
    objects: Sequence[SavedObject],
    retries: Sequence[Retry],
    existing: Existing,
    new_ids: NewIds,
    *,
    create_new_copies: bool,
) -> Plan:
    """`objects` are those that are `retried`. What replaces something comes first."""
    wanted = {each.key: each for each in retries}
    connectors = [each for each in objects if each.key.type == CONNECTOR]
    strict = [each for each in connectors if not wanted[each.key].ignore_missing_references]
    placed = [_placed(each, wanted[each.key], existing, new_ids, create_new_copies) for each in connectors]
    conflicts = [each for each in placed if isinstance(each, Failure)]
    placements = [each for each in placed if isinstance(each, Placement)]
    placements.sort(key=lambda placement: not placement.replaces)
    missing = missing_references(strict, existing)
    failures = [_attempted(each, wanted) for each in (*impossible(objects), *missing, *conflicts)]
    return Plan.of(placements, failures)


def _placed(
    saved: SavedObject, retry: Retry, existing: Existing, new_ids: NewIds, create_new_copies: bool
) -> Placement | Failure:
    anew = create_new_copies or retry.create_new_copy
    target = _target(retry, create_new_copies=create_new_copies)
    if target is None:
        return new_copy(saved, new_ids)
    if existing.is_elsewhere(target):
        placed = new_copy(saved, new_ids)
        return placed if anew else replace(placed, origin_id=saved.source_id)
    there = existing.here(target)
    if there is not None and not retry.overwrite:
        return conflict(saved, retry.destination_id)
    moved = target != saved.key.id
    known_by = saved.source_id if moved else saved.origin_id or (there.origin_id if there else None)
    return Placement(
        object=saved,
        destination_id=target if moved else None,
        origin_id=None if anew else known_by,
        may_replace=retry.overwrite,
        replaces=retry.overwrite,
    )


def _attempted(failure: Failure, wanted: Mapping[ObjectKey, Retry]) -> Failure:
    return replace(failure, replaces=wanted[failure.object.key].overwrite)


def _referring(saved: SavedObject, retry: Retry) -> SavedObject:
    replaced = retry.replaced_references
    return replace(saved, references=tuple(replaced.get(key, key) for key in saved.references))
