"""What an aggregate is to the loop: topics, record types, and the functions of its decider.

A further aggregate is one more `Aggregate` value; the loop stays as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar, get_args

from connectory.domain import connector, spaces
from connectory.domain.commands import ConnectorCommand
from connectory.domain.connector import Active, Connector, Context, TypeRules
from connectory.domain.events import ConnectorEvent
from connectory.domain.secrets import NO_SECRETS
from connectory.domain.spaces import (
    ActiveSpace,
    Space,
    SpaceCommand,
    SpaceEvent,
)
from connectory.infra import topics


class CommandLike(Protocol):
    @property
    def command_id(self) -> str: ...


class StateLike(Protocol):
    """`version` counts the events of the subject; `recent_commands` are the ids of its last accepted commands."""

    @property
    def version(self) -> int: ...
    @property
    def recent_commands(self) -> tuple[str, ...]: ...


C = TypeVar("C", bound=CommandLike)
S = TypeVar("S", bound=StateLike)
E = TypeVar("E")


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate(Generic[C, S, E]):
    """`decide` may find that there is nothing to do: then the command is accepted and no event says so, but `remember`
    puts its id into the state, so that its repetition changes nothing later on either, for as long as there is a state.

    `stored` is the state variant that has a record; any other is a tombstone.

    `shown` takes out of a stored state what a reply must not carry.
    """

    name: str
    commands_topic: str
    events_topic: str
    states_topic: str
    commands: tuple[type[C], ...]
    events: tuple[type[E], ...]
    stored: type[S]
    absent: S
    subject_of_command: Callable[[C], str]
    subject_of_event: Callable[[E], str]
    decide: Callable[[C, S], list[E]]
    evolve: Callable[[S, E], S]
    remember: Callable[[S, str], S]
    shown: Callable[[S], S]

    @property
    def group(self) -> str:
        return f"aggregate-{self.name}"

    def transactional_id(self, partition: int) -> str:
        """One id a partition: opening it fences whoever owned the partition before, whatever its group thinks."""
        return f"{self.group}-{partition}"


def connector_aggregate(rules: TypeRules) -> Aggregate[ConnectorCommand, Connector, ConnectorEvent]:
    context = Context(rules)
    return Aggregate(
        name="connector",
        commands_topic=topics.CONNECTOR_COMMANDS,
        events_topic=topics.CONNECTOR_EVENTS,
        states_topic=topics.CONNECTORS,
        commands=get_args(ConnectorCommand),
        events=get_args(ConnectorEvent),
        stored=Active,
        absent=connector.ABSENT,
        subject_of_command=lambda command: command.connector_id,
        subject_of_event=lambda event: event.connector_id,
        decide=lambda command, state: connector.decide(command, state, context),
        evolve=connector.evolve,
        remember=connector.remember,
        shown=lambda state: replace(state, secrets=NO_SECRETS) if isinstance(state, Active) else state,
    )


def space_aggregate() -> Aggregate[SpaceCommand, Space, SpaceEvent]:
    return Aggregate(
        name="space",
        commands_topic=topics.SPACE_COMMANDS,
        events_topic=topics.SPACE_EVENTS,
        states_topic=topics.SPACES,
        commands=get_args(SpaceCommand),
        events=get_args(SpaceEvent),
        stored=ActiveSpace,
        absent=spaces.NO_SPACE,
        subject_of_command=lambda command: command.space_id,
        subject_of_event=lambda event: event.space_id,
        decide=spaces.decide,
        evolve=spaces.evolve,
        remember=spaces.remember,
        shown=lambda state: state,
    )
