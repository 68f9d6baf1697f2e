"""Copies to other spaces: an export here and an import there, in one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from connectory.gateway.origin import Origin
from connectory.gateway.saved_objects.exporting import Exports
from connectory.gateway.saved_objects.import_results import ImportOutcome
from connectory.gateway.saved_objects.importing import Imports
from connectory.gateway.saved_objects.objects import ObjectKey, SavedObject, read_object
from connectory.gateway.saved_objects.planning import ImportWishes
from connectory.gateway.saved_objects.resolving import Retry


@dataclass(frozen=True, slots=True)
class Copies:
    """From the space of the origin, on behalf of its caller. Each raises `ObjectsMissing`.

    A space that nobody has made is as good as an empty one, as everywhere.
    """

    exports: Exports
    imports: Imports

    async def copy(
        self, keys: Sequence[ObjectKey], spaces: Sequence[str], wishes: ImportWishes, origin: Origin
    ) -> Mapping[str, ImportOutcome]:
        """What became of the objects in each space. In each of them it is all or nothing."""
        objects = await self._objects(keys, origin)
        return {
            space_id: _copied(await self.imports.import_(objects, wishes, replace(origin, space_id=space_id)))
            for space_id in spaces
        }

    async def resolve(
        self,
        keys: Sequence[ObjectKey],
        retries: Mapping[str, Sequence[Retry]],
        origin: Origin,
        *,
        create_new_copies: bool,
    ) -> Mapping[str, ImportOutcome]:
        """The same for a second try, with what is to be done in each space."""
        objects = await self._objects(keys, origin)
        return {
            space_id: _copied(
                await self.imports.resolve(
                    objects, wanted, replace(origin, space_id=space_id), create_new_copies=create_new_copies
                )
            )
            for space_id, wanted in retries.items()
        }

    async def _objects(self, keys: Sequence[ObjectKey], origin: Origin) -> list[SavedObject]:
        lines = await self.exports.of_objects(origin.space_id, keys)
        return [read_object(line, number) for number, line in enumerate(lines, 1)]


def _copied(outcome: ImportOutcome) -> ImportOutcome:
    """Warnings are for those who import a file."""
    return replace(outcome, shown={key: value for key, value in outcome.shown.items() if key != "warnings"})
