"""Spaces: isolated tenants. The same machinery as connectors: commands are decided, events are folded."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import TypeAlias, assert_never

from connectory.domain.errors import Refused

DEFAULT_SPACE = "default"
"""Always exists, and cannot be deleted."""

REMEMBERED_COMMANDS = 8


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
    command_id: str
    space_id: str
    at: datetime
    by: str | None


SpaceCommand: TypeAlias = CreateSpace | UpdateSpace | DeleteSpace


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
class SpaceDeleted:
    space_id: str
    version: int
    at: datetime
    by: str | None
    command_id: str


SpaceEvent: TypeAlias = SpaceCreated | SpaceUpdated | SpaceDeleted


@dataclass(frozen=True, slots=True)
class NoSpace:
    recent_commands: tuple[str, ...] = ()

    @property
    def version(self) -> int:
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveSpace:
    space_id: str
    version: int
    details: SpaceDetails
    created_at: datetime
    updated_at: datetime
    recent_commands: tuple[str, ...]


Space: TypeAlias = NoSpace | ActiveSpace

NO_SPACE = NoSpace()


def decide(command: SpaceCommand, state: Space) -> list[SpaceEvent]:
    """Return the events that the command brings about; raise `Refused` when it breaks a rule."""
    match command:
        case CreateSpace():
            if isinstance(state, ActiveSpace):
                text = f"A space with the identifier {command.space_id} already exists."
                raise Refused("space-conflict", text)
            return [_created(command)]
        case UpdateSpace():
            return [_updated(command, _existing(state).version + 1)]
        case DeleteSpace():
            if command.space_id == DEFAULT_SPACE:
                text = f"The {command.space_id} space cannot be deleted because it is reserved."
                raise Refused("space-reserved", text)
            return [_deleted(command, _existing(state).version + 1)]
        case _:
            assert_never(command)


def evolve(state: Space, event: SpaceEvent) -> Space:
    """Return the space after the event. Total: any event applies to any state."""
    recent = (*state.recent_commands, event.command_id)[-REMEMBERED_COMMANDS:]
    match event:
        case SpaceDeleted():
            return NoSpace(recent)
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


def _existing(state: Space) -> ActiveSpace:
    if not isinstance(state, ActiveSpace):
        raise Refused("space-not-found", "Not Found")
    return state


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


def _deleted(command: DeleteSpace, version: int) -> SpaceDeleted:
    return SpaceDeleted(
        space_id=command.space_id, version=version, at=command.at, by=command.by, command_id=command.command_id
    )
