"""Which spaces are there, and which are being deleted? Of the default space there is a row once it is changed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, assert_never, get_args

from connectory.domain.spaces import (
    SpaceCreated,
    SpaceDeleted,
    SpaceDeletionBegun,
    SpaceDetails,
    SpaceEvent,
    SpaceUpdated,
)
from connectory_projections.model import Projection, Put, Query, Remove, Row, RowChange, Sourced, Table
from connectory_projections.sql_files import load_migrations, load_statements
from connectory_projections.stored_text import from_stored, from_stored_or_none, to_stored, to_stored_or_none

OPTIONAL_TEXTS: Final = ("description", "initials", "color", "image_url", "solution")
DETAIL_COLUMNS: Final = ("name", *OPTIONAL_TEXTS, "disabled_features")

TABLE: Final = Table(
    name="spaces",
    columns=("space_id", *DETAIL_COLUMNS, "version", "deletion_id"),
    key=("space_id",),
)

_SQL = load_statements(__file__)


@dataclass(frozen=True, slots=True)
class SpaceView:
    """A space as readers see it."""

    space_id: str
    details: SpaceDetails


def get(space_id: str) -> Query[SpaceView]:
    """The space, if somebody has set anything of it and it is not being deleted."""
    return Query(_SQL["get"], (to_stored(space_id),), _view)


def everything() -> Query[SpaceView]:
    """All such spaces, by name in the order of code points, then by id."""
    return Query(_SQL["list"], (), _view)


def ids() -> Query[str]:
    """Their ids, in no order."""
    return Query(_SQL["ids"], (), lambda row: from_stored(row["space_id"]))


def deletion(space_id: str) -> Query[str]:
    """The command that began the deletion of the space, while that is under way."""
    return Query(_SQL["deletion"], (to_stored(space_id),), lambda row: from_stored(row["deletion_id"]))


def apply(sourced: Sourced[SpaceEvent]) -> Sequence[RowChange]:
    event = sourced.event
    match event:
        case SpaceCreated() | SpaceUpdated():
            return [Put(TABLE.name, _row(event, _stored(event.details)))]
        case SpaceDeletionBegun():
            begun = _row(event, {"deletion_id": to_stored(event.command_id)})
            return [Put(TABLE.name, begun, keep=DETAIL_COLUMNS)]
        case SpaceDeleted():
            return [Remove(TABLE.name, (to_stored(event.space_id),))]
        case _:
            assert_never(event)


SPACES: Final[Projection[SpaceEvent]] = Projection(
    name="spaces",
    topic="space-events",
    handles=get_args(SpaceEvent),
    tables=(TABLE,),
    migrations=load_migrations("spaces"),
    apply=apply,
)


def _row(event: SpaceEvent, values: Row) -> Row:
    """The row of a space of which this event is all that is known."""
    return {
        "space_id": to_stored(event.space_id),
        **dict.fromkeys(DETAIL_COLUMNS),
        "version": event.version,
        "deletion_id": None,
        **values,
    }


def _stored(details: SpaceDetails) -> Row:
    return {
        "name": to_stored(details.name),
        **{each: to_stored_or_none(getattr(details, each)) for each in OPTIONAL_TEXTS},
        "disabled_features": json.dumps(details.disabled_features),
    }


def _view(row: Mapping[str, Any]) -> SpaceView:
    details = SpaceDetails(
        name=from_stored(row["name"]),
        **{each: from_stored_or_none(row[each]) for each in OPTIONAL_TEXTS},
        disabled_features=tuple(json.loads(row["disabled_features"])),
    )
    return SpaceView(from_stored(row["space_id"]), details)
