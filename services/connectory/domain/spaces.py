"""Spaces: isolated tenants. The same machinery as connectors: commands are decided, events are folded.

A deletion has a beginning and an end: in between the space is gone for clients, and what is in it is being deleted.
Its id is free again at the end.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from typing import Final, TypeAlias, assert_never

from connectory.domain.errors import Refused

DEFAULT_SPACE: Final = "default"
"""Always exists, and cannot be deleted."""

REMEMBERED_COMMANDS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceDetails:
    """What a client may set. None means: not given, and then not shown."""

    name: str
    description: str | None = None
    initials: str | None = None
    color: str | None = None
    image_url: str | None = None
    solution: str | None = None
    disabled_features: tuple[str, ...] = ()


DEFAULT_DETAILS: Final = SpaceDetails(name="Default", description="This is your default space!", color="#00bfb3")
"""The default space until somebody changes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSpace:
    command_id: str
    space_id: str
    at: datetime
    by: str | None
    details: SpaceDetails


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateSpace:
    command_id: str
    space_id: str
    at: datetime
    by: str | None
    details: SpaceDetails


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteSpace:
    """Begins the deletion."""

    command_id: str
    space_id: str
    at: datetime
    by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteSpaceDeletion:
    """All that was in the space is deleted. `deletion_id` is the command that began it."""

    command_id: str
    space_id: str
    at: datetime
    by: str | None
    deletion_id: str


SpaceCommand: TypeAlias = CreateSpace | UpdateSpace | DeleteSpace | CompleteSpaceDeletion


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceCreated:
    space_id: str
    version: int
    at: datetime
    by: str | None
    command_id: str
    details: SpaceDetails


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceUpdated:
    space_id: str
    version: int
    at: datetime
    by: str | None
    command_id: str
    details: SpaceDetails


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceDeletionBegun:
    space_id: str
    version: int
    at: datetime
    by: str | None
    command_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceDeleted:
    space_id: str
    version: int
    at: datetime
    by: str | None
    command_id: str


SpaceEvent: TypeAlias = SpaceCreated | SpaceUpdated | SpaceDeletionBegun | SpaceDeleted


@dataclass(frozen=True, slots=True)
class NoSpace:
    recent_commands: tuple[str, ...] = ()

    @property
    def version(self) -> int:
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveSpace:
    """`deletion_id` is the command that began its deletion, while that is under way."""

    space_id: str
    version: int
    details: SpaceDetails
    created_at: datetime
    updated_at: datetime
    recent_commands: tuple[str, ...]
    deletion_id: str | None = None


Space: TypeAlias = NoSpace | ActiveSpace

NO_SPACE = NoSpace()


def space_not_found() -> Refused:
    return Refused("space-not-found", "Not Found")


def decide(command: SpaceCommand, state: Space) -> list[SpaceEvent]:
    """Return the events that the command brings about; raise `Refused` when it breaks a rule."""
    match command:
        case CreateSpace():
            _require_free(command.space_id, state)
            return [_created(command)]
        case UpdateSpace():
            _require_existing(command.space_id, state)
            return [_updated(command, state.version + 1)]
        case DeleteSpace():
            _require_deletable(command.space_id, state)
            return [_deletion_begun(command, state.version + 1)]
        case CompleteSpaceDeletion():
            return [_deleted(command, state.version + 1)] if _is_under_way(command.deletion_id, state) else []
        case _:
            assert_never(command)


def evolve(state: Space, event: SpaceEvent) -> Space:
    """Return the space after the event. Total: any event applies to any state."""
    recent = _remember(state.recent_commands, event.command_id)
    match event:
        case SpaceDeleted():
            return NoSpace(recent)
        case SpaceDeletionBegun():
            return _being_deleted(state, event, recent)
        case SpaceCreated() | SpaceUpdated():
            return ActiveSpace(
                space_id=event.space_id,
                version=event.version,
                details=event.details,
                created_at=state.created_at if isinstance(state, ActiveSpace) else event.at,
                updated_at=event.at,
                recent_commands=recent,
            )
        case _:
            assert_never(event)


def fold(events: Iterable[SpaceEvent], state: Space = NO_SPACE) -> Space:
    return reduce(evolve, events, state)


def remember(state: Space, command_id: str) -> Space:
    """Return the space as it is, with the command known to it: one that brought about no event."""
    return replace(state, recent_commands=_remember(state.recent_commands, command_id))


def _remember(recent: tuple[str, ...], command_id: str) -> tuple[str, ...]:
    return (*recent, command_id)[-REMEMBERED_COMMANDS:]


def _being_deleted(state: Space, event: SpaceDeletionBegun, recent: tuple[str, ...]) -> Space:
    if not isinstance(state, ActiveSpace):
        return NoSpace(recent)
    return replace(
        state, version=event.version, updated_at=event.at, recent_commands=recent, deletion_id=event.command_id
    )


def _require_free(space_id: str, state: Space) -> None:
    if isinstance(state, ActiveSpace) and state.deletion_id is not None:
        text = f"The space {space_id} is still being deleted. Create it again in a moment."
        raise Refused("space-being-deleted", text)
    if isinstance(state, ActiveSpace) or space_id == DEFAULT_SPACE:
        raise Refused("space-conflict", f"A space with the identifier {space_id} already exists.")


def _require_existing(space_id: str, state: Space) -> None:
    """Of the default space the log may know nothing yet."""
    exists = isinstance(state, ActiveSpace) and state.deletion_id is None
    if not exists and space_id != DEFAULT_SPACE:
        raise space_not_found()


def _require_deletable(space_id: str, state: Space) -> None:
    if space_id == DEFAULT_SPACE:
        raise Refused("space-reserved", f"The {space_id} space cannot be deleted because it is reserved.")
    _require_existing(space_id, state)


def _is_under_way(deletion_id: str, state: Space) -> bool:
    return isinstance(state, ActiveSpace) and state.deletion_id == deletion_id


def _created(command: CreateSpace) -> SpaceCreated:
    return SpaceCreated(
        space_id=command.space_id,
        version=1,
        at=command.at,
        by=command.by,
        command_id=command.command_id,
        details=command.details,
    )


def _updated(command: UpdateSpace, version: int) -> SpaceUpdated:
    return SpaceUpdated(
        space_id=command.space_id,
        version=version,
        at=command.at,
        by=command.by,
        command_id=command.command_id,
        details=command.details,
    )


def _deletion_begun(command: DeleteSpace, version: int) -> SpaceDeletionBegun:
    return SpaceDeletionBegun(
        space_id=command.space_id, version=version, at=command.at, by=command.by, command_id=command.command_id
    )


def _deleted(command: CompleteSpaceDeletion, version: int) -> SpaceDeleted:
    return SpaceDeleted(
        space_id=command.space_id, version=version, at=command.at, by=command.by, command_id=command.command_id
    )
