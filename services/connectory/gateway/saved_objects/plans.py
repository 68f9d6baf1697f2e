"""What a plan consists of: where an object goes, or why it goes nowhere; and the connectors that objects may meet."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from connectory.domain.json_types import Json, JsonObject
from connectory.domain.saved_objects import RESOLVABLE
from connectory.gateway.errors import Problem, Rejected, problem_of
from connectory.gateway.saved_objects.objects import CONNECTOR, NotAConnector, ObjectKey, SavedObject, original_of
from connectory_projections.connectors_by_space import ConnectorView


@dataclass(frozen=True, slots=True, kw_only=True)
class Existing:
    """Connectors of any space by the ids that an import speaks of, and those of this space by the ids that they could
    not keep.
    """

    space_id: str
    by_id: Mapping[str, ConnectorView]
    by_origin: Mapping[str, Sequence[ConnectorView]]

    def here(self, connector_id: str) -> ConnectorView | None:
        found = self.by_id.get(connector_id)
        return found if found and found.space_id == self.space_id else None

    def is_elsewhere(self, connector_id: str) -> bool:
        found = self.by_id.get(connector_id)
        return found is not None and found.space_id != self.space_id

    def copies_of(self, source_id: str) -> Iterator[ConnectorView]:
        """Those of this space that come from the source: itself, if it is here, and those that have it as origin."""
        if (itself := self.here(source_id)) is not None:
            yield itself
        yield from self.by_origin.get(source_id, ())

    def without(self, connector_ids: Collection[str]) -> "Existing":
        """As if these were not there."""
        return replace(self, by_id={key: view for key, view in self.by_id.items() if key not in connector_ids})


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """An object goes to its own id, or to `destination_id`.

    `made_anew`: that id is one that nobody has had. `may_replace`: whatever this space has there may be replaced;
    `replaces`: and the answer says so.
    """

    object: SavedObject
    destination_id: str | None = None
    origin_id: str | None = None
    made_anew: bool = False
    may_replace: bool = False
    replaces: bool = False

    @property
    def connector_id(self) -> str:
        return self.destination_id or self.object.key.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """`error` as the answer has it, with its `type`. `replaces`: the object was to replace what is there."""

    object: SavedObject
    error: JsonObject
    replaces: bool = False

    @property
    def is_resolvable(self) -> bool:
        return self.error["type"] in RESOLVABLE

    @property
    def taken_id(self) -> str | None:
        """The id over which there is a conflict."""
        if self.error["type"] != "conflict":
            return None
        return str(self.error.get("destinationId", self.object.key.id))


@dataclass(frozen=True, slots=True)
class Plan:
    placements: Sequence[Placement]
    failures: Sequence[Failure]

    @classmethod
    def of(cls, placements: Iterable[Placement], failures: Sequence[Failure]) -> "Plan":
        """An object with any failure goes nowhere."""
        failed = {failure.object.key for failure in failures}
        return cls([each for each in placements if each.object.key not in failed], failures)

    @property
    def is_blocked(self) -> bool:
        return any(failure.is_resolvable for failure in self.failures)


def conflict(saved: SavedObject, destination_id: str | None = None) -> Failure:
    named: JsonObject = {} if destination_id is None else {"destinationId": destination_id}
    return Failure(object=saved, error={"type": "conflict", **named})


def unknown(saved: SavedObject, problem: Problem, *, replaces: bool = False) -> Failure:
    """An error that the caller cannot resolve here; its body is that of any answer with an error."""
    return Failure(object=saved, error={"type": "unknown", **problem.body()}, replaces=replaces)


def impossible(objects: Iterable[SavedObject]) -> list[Failure]:
    """Those that no import can take: of another type, or with attributes that no connector has."""
    others = [each for each in objects if each.key.type != CONNECTOR]
    broken = [failure for each in objects if each.key.type == CONNECTOR for failure in _broken(each)]
    return [*(Failure(object=each, error={"type": "unsupported_type"}) for each in others), *broken]


def missing_references(objects: Sequence[SavedObject], existing: Existing) -> list[Failure]:
    """Those that refer to what is neither among them nor in the space."""
    brought = {each.key for each in objects}
    failures = []
    for each in objects:
        missing = [key for key in dict.fromkeys(each.references) if key not in brought and not _is_here(key, existing)]
        if missing:
            named: list[Json] = [{"type": key.type, "id": key.id} for key in missing]
            failures.append(Failure(object=each, error={"type": "missing_references", "references": named}))
    return failures


def _broken(saved: SavedObject) -> Iterator[Failure]:
    try:
        original_of(saved, saved.origin_id)
    except NotAConnector as error:
        yield unknown(saved, problem_of(Rejected.bad_request(error.message)))


def _is_here(key: ObjectKey, existing: Existing) -> bool:
    return key.type == CONNECTOR and existing.here(key.id) is not None
