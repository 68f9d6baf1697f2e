"""Imports: look at what is there, plan, write what the plan says, and tell what became of each object.

What is written is decided by the aggregate, one connector at a time. An id that is taken between the look and the
writing makes an error of its object, while the others of the import are there already: nothing can take them back.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from connectory.domain.errors import ConnectoryError
from connectory.gateway.changes import ConnectorChanges, Import
from connectory.gateway.errors import problem_of
from connectory.gateway.origin import NewId, Origin, derived_connector_id
from connectory.gateway.read_models import ConnectorViews
from connectory.gateway.saved_objects.import_results import ImportOutcome, import_result
from connectory.gateway.saved_objects.import_warnings import IdRules
from connectory.gateway.saved_objects.objects import CONNECTOR, SavedObject, original_of
from connectory.gateway.saved_objects.planning import ImportWishes, NewIds, plan_import
from connectory.gateway.saved_objects.plans import Existing, Failure, Placement, Plan, conflict, unknown
from connectory.gateway.saved_objects.resolving import Retry, plan_retries, retried
from connectory_projections.connectors_by_space import ConnectorView

CONFLICT_CODE = "connector-conflict"


@dataclass(frozen=True, slots=True)
class Imports:
    """Into the space of the origin, on behalf of its caller."""

    views: ConnectorViews
    changes: ConnectorChanges
    id_rules: IdRules
    new_id: NewId

    async def import_(self, objects: Sequence[SavedObject], wishes: ImportWishes, origin: Origin) -> ImportOutcome:
        command = _Command.of(origin, self.new_id)
        new_ids = command.new_ids(objects)

        def plan(existing: Existing) -> Plan:
            return plan_import(objects, existing, new_ids, wishes)

        existing = await self._existing(objects, (), origin.space_id)
        planned = await self._planned(plan, existing, command)
        return await self._carried_out(planned, command, create_new_copies=wishes.create_new_copies)

    async def resolve(
        self, objects: Sequence[SavedObject], retries: Sequence[Retry], origin: Origin, *, create_new_copies: bool
    ) -> ImportOutcome:
        """Try those of the objects again that the caller says something about."""
        again = retried(objects, retries)
        command = _Command.of(origin, self.new_id)
        new_ids = command.new_ids(again)

        def plan(existing: Existing) -> Plan:
            return plan_retries(again, retries, existing, new_ids, create_new_copies=create_new_copies)

        destinations = [each.destination_id for each in retries if each.destination_id is not None]
        existing = await self._existing(again, destinations, origin.space_id)
        planned = await self._planned(plan, existing, command)
        return await self._carried_out(planned, command, create_new_copies=create_new_copies)

    async def _existing(self, objects: Sequence[SavedObject], destinations: Sequence[str], space_id: str) -> Existing:
        sources = {each.source_id for each in objects}
        referred = {key.id for each in objects for key in each.references if key.type == CONNECTOR}
        ids = sources | referred | {each.key.id for each in objects} | {*destinations}
        by_origin: defaultdict[str, list[ConnectorView]] = defaultdict(list)
        for view in await self.views.with_origins(space_id, sources) if sources else ():
            by_origin[view.origin_id or ""].append(view)
        found = await self.views.with_ids(ids) if ids else ()
        return Existing(space_id=space_id, by_id={view.connector_id: view for view in found}, by_origin=by_origin)

    async def _planned(self, plan: Callable[[Existing], Plan], existing: Existing, command: "_Command") -> Plan:
        """A call that is repeated finds what it wrote the first time: that is no conflict.

        The aggregate knows: it takes the same command again, and refuses any other for an id that is taken.
        """
        planned = plan(existing)
        taken = [(each, taken_id) for each in planned.failures if (taken_id := each.taken_id) is not None]
        if not command.is_repeatable or not taken:
            return planned
        imports = [_import(Placement(object=each.object, destination_id=taken_id)) for each, taken_id in taken]
        decided = await self.changes.import_all(imports, command.origin)
        ours = [each.connector_id for each, one in zip(imports, decided, strict=True) if not _is_refused(one)]
        return plan(existing.without(ours))

    async def _carried_out(self, planned: Plan, command: "_Command", *, create_new_copies: bool) -> ImportOutcome:
        """While there is anything for the caller to resolve nothing is written, and the answer tells what would be."""
        late = () if planned.is_blocked else await self._write(planned.placements, command)
        failed = {failure.object.key for failure in late}
        done = [each for each in planned.placements if each.object.key not in failed]
        warnings = self.id_rules.warnings(done)
        shown = import_result(done, [*planned.failures, *late], warnings, create_new_copies=create_new_copies)
        kept = () if planned.is_blocked else filter(self.id_rules.is_kept, done)
        return ImportOutcome(shown, [each.connector_id for each in kept])

    async def _write(self, placements: Sequence[Placement], command: "_Command") -> list[Failure]:
        kept = [each for each in placements if self.id_rules.is_kept(each)]
        decided = await self.changes.import_all([_import(each) for each in kept], command.origin)
        outcomes = zip(kept, decided, strict=True)
        return [_refused(placement, each) for placement, each in outcomes if isinstance(each, ConnectoryError)]


@dataclass(frozen=True, slots=True)
class _Command:
    """The call as a change that has an id, so that it may be repeated when its outcome was not known.

    `is_repeatable`: the caller chose the id, and may have used it before.
    """

    origin: Origin
    is_repeatable: bool

    @classmethod
    def of(cls, origin: Origin, new_id: NewId) -> "_Command":
        return cls(replace(origin, command_id=origin.command_id or new_id()), origin.command_id is not None)

    def new_ids(self, objects: Sequence[SavedObject]) -> NewIds:
        """The same ones each time the call is repeated."""
        space_id, command_id = self.origin.space_id, self.origin.command_id
        return {each.key.id: derived_connector_id(space_id, f"{command_id}/{each.key.id}") for each in objects}


def _import(placement: Placement) -> Import:
    original = original_of(placement.object, placement.origin_id)
    return Import(connector_id=placement.connector_id, original=original, overwrite=placement.may_replace)


def _is_refused(decided: object) -> bool:
    return isinstance(decided, ConnectoryError)


def _refused(placement: Placement, refusal: ConnectoryError) -> Failure:
    if refusal.code == CONFLICT_CODE:
        failure = conflict(placement.object, placement.destination_id)
    else:
        failure = unknown(placement.object, problem_of(refusal))
    return replace(failure, replaces=placement.replaces)
